// A hostile server: any bytes, through the decoder and through a whole session. The first byte chooses the session, the
// second how the bytes are cut, and by its highest bit whether the session is careful.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "common/imap/engine.hpp"
#include "common/imap/mailbox_name.hpp"
#include "tests/unit/imap/describe.hpp"

using namespace postroom;
using namespace postroom::imap;

namespace {

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

Task task_for(std::uint8_t choice) {
  Task task;
  task.cursor = Cursor{7, 10};
  if ((choice & 1) != 0) task.is_watching = false;
  if ((choice & 2) != 0) task.since = from_micros(1'784'246'400'000'000);
  if ((choice & 4) != 0) task.cursor.reset();
  if ((choice & 8) != 0) task.capabilities = {"IMAP4REV1", "IDLE", "MOVE", "ID", "ENABLE", "CONDSTORE"};
  if ((choice & 16) != 0) task.capabilities = {"IMAP4REV1", "UIDPLUS"};
  if ((choice & 32) != 0) {
    task.chores = {{"a", 7, 11, Chore::Verb::flag, "\\Seen"},
                   {"b", 7, 12, Chore::Verb::move, "x"},
                   {"c", 7, 13, Chore::Verb::erase, ""}};
  }
  if ((choice & 64) != 0) task.expects_greeting = true;
  if ((choice & 128) != 0) task.skip = {11};
  return task;
}

Settings small(bool is_careful) {
  Settings settings;
  settings.is_careful = is_careful;
  settings.size_limit = 64;
  settings.header_limit = 32;
  settings.measure_count = 4;
  settings.batch_count = 2;
  settings.batch_bytes = 100;
  settings.window_count = 4;
  settings.window_bytes = 200;
  settings.listing_limit = 8;
  settings.refusal_limit = 3;
  return settings;
}

// What must hold whatever the server says.
class Judge {
 public:
  // Returns the UID up to which mails may be called kept, or 0.
  Uid look_at(const Actions& actions) {
    Uid kept = 0;
    for (const Action& action : actions) {
      demand(!is_over_, "something comes after the end");
      if (const auto* send = std::get_if<Send>(&action)) {
        demand(send->bytes.ends_with("\r\n") && send->bytes.find("\r\n") == send->bytes.size() - 2,
               "a command is not one line");
      } else if (std::holds_alternative<CursorReset>(action)) {
        reported_.clear();
        progress_ = 0;
      } else if (std::holds_alternative<MailBegin>(action)) {
        demand(!std::exchange(is_in_mail_, true), "a mail begins inside a mail");
        byte_count_ = 0;
      } else if (const auto* chunk = std::get_if<MailChunk>(&action)) {
        demand(is_in_mail_, "bytes come outside a mail");
        byte_count_ += chunk->bytes.size();
        for (const char c : chunk->bytes) touched_ = touched_ + static_cast<unsigned char>(c);
      } else if (const auto* end = std::get_if<MailEnd>(&action)) {
        demand(std::exchange(is_in_mail_, false), "a mail ends that did not begin");
        demand(end->byte_count == byte_count_, "a mail has another size than was said");
        demand(end->uid > progress_ && reported_.insert(end->uid).second, "a mail is reported twice");
      } else if (std::holds_alternative<MailDropped>(action)) {
        demand(std::exchange(is_in_mail_, false), "a mail is dropped that did not begin");
      } else if (const auto* missing = std::get_if<MailMissing>(&action)) {
        demand(missing->uid > progress_ && reported_.insert(missing->uid).second, "a missing mail is reported twice");
      } else if (const auto* asking = std::get_if<Asking>(&action)) {
        demand(asking->uid > progress_ && !reported_.contains(asking->uid) && !is_in_mail_, "a mail is begun that is known, or inside another one");
        asking_ = asking->uid;
      } else if (const auto* progress = std::get_if<Progress>(&action)) {
        demand(progress->cursor.last_uid > progress_, "the cursor goes back");
        progress_ = kept = progress->cursor.last_uid;
      } else if (std::holds_alternative<Done>(action) || std::holds_alternative<Failed>(action)) {
        demand(!is_in_mail_, "the end comes inside a mail");
        is_over_ = true;
      }
      if (const auto* wake = std::get_if<WakeAt>(&action)) wake_ = wake->at;
    }
    return kept;
  }
  std::optional<Uid> take_asking() { return std::exchange(asking_, std::nullopt); }
  bool is_over() const { return is_over_; }
  std::optional<SteadyTime> wake() const { return wake_; }

 private:
  bool is_over_ = false;
  bool is_in_mail_ = false;
  std::optional<Uid> asking_;
  std::uint64_t byte_count_ = 0;
  Uid progress_ = 0;
  std::set<Uid> reported_;
  std::optional<SteadyTime> wake_;
  unsigned touched_ = 0;
};

void session(std::uint8_t choice, std::uint8_t cut, std::string_view bytes) {
  Engine engine{task_for(choice), small(cut >= 128)};
  Judge judge;
  SteadyTime now{std::chrono::hours{1}};
  const std::function<void(const Actions&)> judged = [&](const Actions& actions) {
    const Uid kept = judge.look_at(actions);
    const auto asking = judge.take_asking();
    if (kept > 0) judged(engine.on_kept(kept, now));
    if (asking) judged(engine.on_noted(*asking, now));
  };
  judged(engine.start(now));
  const std::size_t step = cut % 128 == 0 ? bytes.size() + 1 : cut % 128;
  while (!bytes.empty() && !judge.is_over()) {
    judged(engine.on_bytes(bytes.substr(0, step), now));
    bytes.remove_prefix(std::min(step, bytes.size()));
    now += std::chrono::milliseconds{1};
  }
  for (int turn = 0; turn < 3 && !judge.is_over() && judge.wake(); ++turn) {
    now = std::max(now, *judge.wake());
    judged(engine.on_time(now));
  }
  judged(engine.on_stop(now));
  judged(engine.on_closed(now));
  demand(judge.is_over() && engine.stage() == Stage::closed, "a closed connection does not end the session");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 2, size - 2};
  if (bytes.size() <= 4096)
    demand(decode_all(bytes) == decode_bytewise(bytes), "another answer when the bytes are cut");
  session(data[0], data[1], bytes);
  if (const auto name = decode_mailbox_name(bytes))
    demand(*encode_mailbox_name(*name) == bytes, "a mailbox name changes on its way");
  return 0;
}
