// What the server says, and whom in the engine it concerns.

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/imap/engine.hpp"

namespace postroom::imap {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

constexpr std::size_t most_alerts = 20;  // of one session

// A server's words for a log or a person: printable, short.
std::string readable(std::string_view text) {
  return json_escaped(cut_utf8(text, 200));
}

}  // namespace

void Engine::read(std::string_view bytes) {
  while (stage_ != Stage::closed) {
    const std::size_t before = bytes.size();
    const auto response = decoder_.next(bytes);
    if (!response) return fail(response.error());
    const bool is_body = *response && std::holds_alternative<BodyChunk>(**response);
    if (!is_body) chatter_ += before - bytes.size();
    if (chatter_ > settings_.chatter_limit)
      return fail({Code::bad_message, "the server talks without end and answers nothing", "imap"});
    if (!*response) return;
    handle(**response);
  }
}

void Engine::handle(const Response& response) {
  std::visit(
      Overloaded{
          [this](const Status& r) { on_status(r); }, [this](const Continuation&) { idle_accepted(); },
          [this](const Capability& r) { capabilities_ = r.words; }, [this](const Exists& r) { on_exists(r.count); },
          [this](const Expunge&) { on_removed(1); },
          [this](const Vanished& r) {
            if (!r.is_earlier) on_removed(count_of(r.uids));
          },
          [this](const Search& r) {
            for (const Uid uid : r.numbers) collect(uid);
          },
          [this](const Fetch& r) { on_fetch(r); }, [this](const Malformed& r) { on_malformed(r); },
          [this](const BodyBegin& r) { on_body_begin(r); }, [this](const BodyChunk& r) { on_body_chunk(r.bytes); },
          [](const auto&) {},  // nothing that matters here
      },
      response);
}

void Engine::on_status(const Status& status) {
  if (status.code.name == "CAPABILITY") capabilities_ = status.code.words;
  if (!status.tag.empty()) return on_completed(status);
  if (status.code.name == "ALERT" && ++alert_count_ <= most_alerts) emit(Notice{readable(status.text)});
  if (status.condition == Condition::bye) {
    if (stage_ == Stage::leaving) return;
    return fail({Code::unavailable,
                 fmt::format("the server says goodbye while {}: {}", name_of(stage_), readable(status.text)), "imap"});
  }
  if (stage_ == Stage::greeting) return greeted(status);
  on_untagged(status);
}

void Engine::on_untagged(const Status& status) {
  const auto number = [&] {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(*status.code.number, 0xffffffffu));
  };
  if (!status.code.number) return;
  if (stage_ == Stage::selecting) {
    if (status.code.name == "UIDVALIDITY") mailbox_.uid_validity = number();
    if (status.code.name == "UIDNEXT") mailbox_.uid_next = number();
    if (status.code.name == "HIGHESTMODSEQ") mailbox_.highest_mod_sequence = status.code.number;
  } else if (status.code.name == "UIDVALIDITY" && mailbox_.uid_validity != 0 && number() != mailbox_.uid_validity) {
    fail({Code::unavailable, "the mailbox changed its UIDVALIDITY during the session: connect again", "imap"});
  }
}

void Engine::on_completed(const Status& status) {
  const auto found =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.tag == status.tag; });
  if (found == pending_.end())
    return fail({Code::bad_message, "the server answers a command that was not sent", "imap"});
  const Pending completed = std::move(*found);
  pending_.erase(found);
  arm_oldest();
  chatter_ = 0;
  switch (completed.kind) {
    case Kind::capability:
      introduce();
      break;
    case Kind::introduction:
      if (pending_.empty()) select();
      break;
    case Kind::select:
      selected(status);
      break;
    case Kind::chore:
      chore_completed(status);
      break;
    case Kind::noop:
      proceed();
      break;
    case Kind::sync:
      if (stage_ == Stage::fetching) fetch();
      break;
    case Kind::search:
    case Kind::list:
      listed(status, completed.kind);
      break;
    case Kind::measure:
      measure_completed(status, completed.uids);
      break;
    case Kind::bodies:
      bodies_completed(status, completed.uids);
      break;
    case Kind::idle:
      idle_completed(status);
      break;
    case Kind::logout:
      emit(Done{});
      end();
      break;
  }
  malformed_line_.clear();
}

void Engine::on_exists(std::uint32_t count) {
  const bool has_grown = count > exists_;
  exists_ = count;
  if (stage_ == Stage::selecting || !has_grown) return;
  wants_listing_ = true;
  if (stage_ == Stage::idling) stop_idling();
  if (stage_ == Stage::resting) rest(std::max(listing_not_before_, now_));
}

void Engine::on_removed(std::uint64_t count) {
  exists_ -= static_cast<std::uint32_t>(std::min<std::uint64_t>(exists_, count));
}

void Engine::on_malformed(const Malformed& malformed) {
  malformed_line_ = malformed.what;
  if (++malformed_count_ > settings_.malformed_limit)
    return fail({Code::bad_message, "too many lines without sense: " + malformed.what, "imap"});
  emit(Notice{malformed.what});
}

}  // namespace postroom::imap
