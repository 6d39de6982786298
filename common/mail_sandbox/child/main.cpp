// postroom-mail-sandbox: parses mails for a parent that trusts nothing it says.
//
// consumes    length-prefixed mails on standard input (frames.hpp)
// publishes   frames on standard output: attachment pieces, then a message or a refusal for each mail, in order
// talks to    nobody else: no files, no network, no other program
// owns        nothing
// if it dies  the parent puts the first unanswered mail on standby, starts another child and sends the others again
// trusts nobody because every byte it reads was written by a stranger; 320 MB, 2 s of processor time a mail, and a
// system call filter hold it
//
// --attempt=WHAT: under the same limits tries WHAT (open, create, stat, socket, exec, fork, kill, map-code,
// raise-limit) and exits with 0 if it worked, with 1 if it was refused; most attempts end in SIGSYS.

#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "common/mail/prescan.hpp"
#include "common/mail_sandbox/child/charsets.hpp"
#include "common/mail_sandbox/child/confinement.hpp"
#include "common/mail_sandbox/child/html_reader.hpp"
#include "common/mail_sandbox/child/mime_reader.hpp"
#include "common/mail_sandbox/frames.hpp"

#if defined(__SANITIZE_ADDRESS__)
// The leak check forks and opens files; it belongs to the tests of the pieces, not to the confined child.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:abort_on_error=1";
}
#endif

namespace {

using namespace postroom;
using namespace postroom::mail_sandbox;

constexpr std::size_t flush_above = 256 * 1024;
constexpr int lost_parent = 2;

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(lost_parent);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

// False: the input is over.
bool read_exactly(char* into, std::size_t count) {
  while (count > 0) {
    const ssize_t got = read(STDIN_FILENO, into, count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into += got;
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

void answer_mails(const Charsets& charsets) {
  std::string out;
  std::string bytes;
  char length[4];
  append_frame(out, FrameKind::ready, {});
  write_all(out);
  while (read_exactly(length, sizeof length)) {
    const std::size_t size = read_length({length, sizeof length});
    if (size > mail::Limits{}.mail_bytes) _exit(lost_parent);  // a parent of ours does not send it
    bytes.resize(size);
    if (!read_exactly(bytes.data(), size)) return;
    out.clear();
    const auto message = read_mail(bytes, charsets, [&](std::size_t index, std::string_view piece) {
      std::string payload;
      append_length(payload, static_cast<std::uint32_t>(index));
      payload += piece;
      append_frame(out, FrameKind::piece, payload);
      if (out.size() < flush_above) return;
      write_all(out);
      out.clear();
    });
    if (message) {
      append_frame(out, FrameKind::message, encode_message(*message));
    } else {
      append_frame(out, FrameKind::refusal, message.error().what());
    }
    write_all(out);
    if (bytes.capacity() > (1 << 20)) {  // one large mail must not stay in memory
      bytes = {};
      out = {};
      malloc_trim(0);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  start_gmime();
  const Charsets charsets;
  text_of_html("<p>warm</p>");
  if (const std::string failed = confine(); !failed.empty()) return 3;
  const std::string option = count > 1 ? arguments[1] : "";
  if (option.substr(0, 10) == "--attempt=") _exit(attempt(option.substr(10)) == 0 ? 0 : 1);
  answer_mails(charsets);
  _exit(0);  // destructors have nothing to give back
}
