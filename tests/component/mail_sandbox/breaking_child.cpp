// A child that speaks the frames of the sandbox and breaks on command: the mail's text says how. Everything else
// becomes the subject of the message that it answers. Not confined: what the parent does about a child is tested here,
// what a child may do is tested with the real one.

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "common/mail_sandbox/frames.hpp"

using namespace postroom;
using namespace postroom::mail_sandbox;

namespace {

void put(const std::string& bytes) {
  if (write(STDOUT_FILENO, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) _exit(9);
}

bool get(char* into, std::size_t count) {
  while (count > 0) {
    const ssize_t got = read(STDIN_FILENO, into, count);
    if (got <= 0) return false;
    into += got;
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

std::string piece(std::uint32_t index, std::string_view bytes) {
  std::string payload;
  append_length(payload, index);
  payload += bytes;
  std::string frame;
  append_frame(frame, FrameKind::piece, payload);
  return frame;
}

}  // namespace

int main() {
  std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit of it
  std::string out;
  append_frame(out, FrameKind::ready, {});
  put(out);
  char length[4];
  while (get(length, sizeof length)) {
    std::string mail(read_length({length, sizeof length}), '\0');
    if (!get(mail.data(), mail.size())) return 0;
    mail::Message message;
    message.subject = mail;
    out.clear();
    if (mail == "abort") std::abort();
    if (mail == "crash") std::raise(SIGSEGV);
    if (mail == "exit") _exit(7);
    if (mail == "end the parent") kill(getppid(), SIGKILL);
    if (mail == "spin") {
      volatile bool is_spinning = true;
      while (is_spinning) {
      }
    }
    if (mail == "hang") pause();
    if (mail == "nonsense") put("this is no frame");
    if (mail == "truncated") {
      append_frame(out, FrameKind::message, encode_message(message).substr(0, 20));
      put(out);
      continue;
    }
    if (mail == "piece then crash") {
      put(piece(0, "half"));
      std::raise(SIGSEGV);
    }
    if (mail == "lying about size") {
      message.attachments.resize(1);
      message.attachments[0].size = 100;
      put(piece(0, "four"));
    }
    if (mail == "unknown attachment") put(piece(77, "x"));
    if (mail == "with piece") {
      message.attachments.resize(1);
      message.attachments[0].name = "../evil";
      message.attachments[0].size = 4;
      put(piece(0, "four"));
    }
    append_frame(out, FrameKind::message, encode_message(message));
    put(out);
    if (mail == "twice") put(out);
  }
  return 0;
}
