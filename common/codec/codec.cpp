#include "common/codec/codec.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "common/base/text.hpp"
#include "common/codec/json.hpp"

namespace postroom::codec {

namespace json = boost::json;
using messages::RawJson;

namespace {

template <class T>
concept Described = requires(T& value) { T::describe(value, [](std::string_view, auto&) {}); };

template <class T>
concept Named = std::is_enum_v<T>;

// --- writing ---

void write(std::string& out, const std::string& value) {
  out.push_back('"');
  out += json_escaped(value);
  out.push_back('"');
}
void write(std::string& out, bool value) { out += value ? "true" : "false"; }
void write(std::string& out, std::int64_t value) { fmt::format_to(std::back_inserter(out), "{}", value); }
void write(std::string& out, const RawJson& value) { out += value.text; }

template <Named E>
void write(std::string& out, E value) {
  out.push_back('"');
  out += messages::name_of(value);
  out.push_back('"');
}

template <Described T>
void write(std::string& out, const T& value);

template <class T>
void write(std::string& out, const std::vector<T>& values) {
  out.push_back('[');
  for (const auto& value : values) {
    if (out.back() != '[') out.push_back(',');
    write(out, value);
  }
  out.push_back(']');
}

template <class T>
void write_member(std::string& out, std::string_view name, const T& value) {
  if (out.back() != '{') out.push_back(',');
  out.push_back('"');
  out += name;
  out += "\":";
  write(out, value);
}

template <class T>
void write_member(std::string& out, std::string_view name, const std::optional<T>& value) {
  if (value) write_member(out, name, *value);
}

template <Described T>
void write(std::string& out, const T& value) {
  out.push_back('{');
  T::describe(value, [&](std::string_view name, const auto& member) { write_member(out, name, member); });
  out.push_back('}');
}

// --- reading ---

struct Reader {
  std::optional<Error> wrong;

  void fail(std::string_view where, std::string what) {
    if (!wrong) wrong = Error{Code::bad_message, std::move(what), std::string{where}};
  }

  void read(const json::value& in, std::string& out, std::string_view where) {
    if (const auto* text = in.if_string()) {
      out.assign(text->data(), text->size());
    } else {
      fail(where, "must be a string");
    }
  }
  void read(const json::value& in, bool& out, std::string_view where) {
    if (const auto* flag = in.if_bool()) {
      out = *flag;
    } else {
      fail(where, "must be true or false");
    }
  }
  void read(const json::value& in, std::int64_t& out, std::string_view where) {
    if (const auto* number = in.if_int64()) {
      out = *number;
    } else {
      fail(where, "must be an integer");
    }
  }
  void read(const json::value& in, RawJson& out, std::string_view) { out.text = json::serialize(in); }

  template <Named E>
  void read(const json::value& in, E& out, std::string_view where) {
    const auto* text = in.if_string();
    const auto value = text == nullptr ? std::nullopt : messages::value_of<E>(std::string_view{text->data(), text->size()});
    if (value) {
      out = *value;
      return;
    }
    std::string known;
    for (const auto& [unused, name] : messages::enum_names<E>) known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
    fail(where, fmt::format("must be one of: {}", known));
  }

  template <class T>
  void read(const json::value& in, std::vector<T>& out, std::string_view where) {
    const auto* array = in.if_array();
    if (array == nullptr) return fail(where, "must be an array");
    out.clear();
    for (const auto& element : *array) {
      out.emplace_back();
      read(element, out.back(), pointer_to(where, std::to_string(out.size() - 1)));
    }
  }

  template <Described T>
  void read(const json::value& in, T& out, std::string_view where) {
    const auto* object = in.if_object();
    if (object == nullptr) return fail(where, "must be an object");
    T::describe(out, [&](std::string_view name, auto& member) { read_member(*object, name, member, where); });
  }

  template <class T>
  void read_member(const json::object& object, std::string_view name, T& out, std::string_view where) {
    const auto* found = object.if_contains(name);
    if (found == nullptr) return fail(pointer_to(where, name), "is missing");
    read(*found, out, pointer_to(where, name));
  }
  template <class T>
  void read_member(const json::object& object, std::string_view name, std::optional<T>& out, std::string_view where) {
    const auto* found = object.if_contains(name);
    if (found == nullptr) {
      out.reset();
      return;
    }
    read(*found, out.emplace(), pointer_to(where, name));
  }
};

}  // namespace

template <class Message>
std::string encode(const Message& message) {
  std::string out;
  out.reserve(512);
  write(out, message);
  return out;
}

template <class Message>
Result<Message> decode(std::string_view body) {
  unsigned char first_block[8192];
  json::monotonic_resource storage{first_block, sizeof first_block};
  auto parsed = parse(body, &storage);
  if (!parsed) return parsed.error();
  Message message;
  Reader reader;
  reader.read(*parsed, message, "");
  if (reader.wrong) return *reader.wrong;
  return message;
}

// One line a type: a type missing here is a link error at its first user.
#define POSTROOM_CODEC(Type)                                                       \
  template std::string encode<messages::Type>(const messages::Type&);              \
  template Result<messages::Type> decode<messages::Type>(std::string_view);

POSTROOM_CODEC(TicketOpen)
POSTROOM_CODEC(TicketChangeState)
POSTROOM_CODEC(TicketChanged)
POSTROOM_CODEC(BoardCreate)
POSTROOM_CODEC(BoardUpdate)
POSTROOM_CODEC(BoardDelete)
POSTROOM_CODEC(ConnectionCreate)
POSTROOM_CODEC(ConnectionUpdate)
POSTROOM_CODEC(ConnectionDelete)
POSTROOM_CODEC(ConnectionTest)
POSTROOM_CODEC(JiraTest)
POSTROOM_CODEC(TrelloTest)
POSTROOM_CODEC(TestOutcome)
POSTROOM_CODEC(StandbyAssign)
POSTROOM_CODEC(StandbyRetry)
POSTROOM_CODEC(StandbyEdit)
POSTROOM_CODEC(StandbyDelete)
POSTROOM_CODEC(StandbyRetryMany)
POSTROOM_CODEC(StandbyChanged)
POSTROOM_CODEC(JiraCreate)
POSTROOM_CODEC(JiraResolve)
POSTROOM_CODEC(TrelloCreate)
POSTROOM_CODEC(TrelloResolve)
POSTROOM_CODEC(WorkClaim)
POSTROOM_CODEC(WorkCommit)
POSTROOM_CODEC(WorkOutcome)
POSTROOM_CODEC(ClaimAnswered)
POSTROOM_CODEC(CommandReplied)
POSTROOM_CODEC(TicketComment)
POSTROOM_CODEC(InboxCreate)
POSTROOM_CODEC(InboxUpdate)
POSTROOM_CODEC(InboxDelete)
POSTROOM_CODEC(InboxPoll)
POSTROOM_CODEC(SettingsUpdate)
POSTROOM_CODEC(ImapPoll)
POSTROOM_CODEC(PollClaim)
POSTROOM_CODEC(PollProgress)
POSTROOM_CODEC(PollEnded)
POSTROOM_CODEC(PollAnswered)
POSTROOM_CODEC(ImapPollerTest)
POSTROOM_CODEC(MailArrived)
POSTROOM_CODEC(MailParse)
POSTROOM_CODEC(MailParsed)
POSTROOM_CODEC(NotifyMail)
POSTROOM_CODEC(NotifierTest)
POSTROOM_CODEC(MailNotice)
// Nested types that are stored by themselves.
POSTROOM_CODEC(Target)
POSTROOM_CODEC(StandbyFilter)
POSTROOM_CODEC(StoredEnvelope)
POSTROOM_CODEC(StoredProperties)
POSTROOM_CODEC(DeliveryEdit)
POSTROOM_CODEC(StoredKeywords)

}  // namespace postroom::codec
