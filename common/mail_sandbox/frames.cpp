#include "common/mail_sandbox/frames.hpp"

#include <type_traits>

#include "common/base/text.hpp"
#include "common/mail/file_name.hpp"

namespace postroom::mail_sandbox {

namespace {

constexpr std::size_t most_entries = 20'000;  // of one list

class Writer {
 public:
  void operator()(const std::string& text) {
    append_length(out, static_cast<std::uint32_t>(text.size()));
    out += text;
  }
  void operator()(const bool& flag) { out.push_back(flag ? 1 : 0); }
  void operator()(const std::uint64_t& number) {
    append_length(out, static_cast<std::uint32_t>(number & 0xffffffff));
    append_length(out, static_cast<std::uint32_t>(number >> 32));
  }
  template <class T>
  void operator()(const std::vector<T>& list) {
    append_length(out, static_cast<std::uint32_t>(list.size()));
    for (const T& one : list) (*this)(one);
  }
  void operator()(const std::optional<WallTime>& time) {
    (*this)(time.has_value());
    (*this)(time ? static_cast<std::uint64_t>(to_micros(*time)) : std::uint64_t{0});
  }
  template <class T>
  requires std::is_aggregate_v<T>
  void operator()(const T& value);

  std::string out;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  void operator()(std::string& text) {
    const std::string_view bytes = take(length());
    text = is_valid_utf8(bytes) ? std::string{bytes} : to_valid_utf8(bytes);
  }
  void operator()(bool& flag) {
    const std::string_view byte = take(1);
    flag = !byte.empty() && byte[0] != 0;
  }
  void operator()(std::uint64_t& number) {
    const std::uint64_t low = length();
    number = low | std::uint64_t{length()} << 32;
  }
  template <class T>
  void operator()(std::vector<T>& list) {
    const std::size_t count = length();
    if (count > most_entries || count > rest_.size()) is_sound_ = false;  // an entry takes a byte at least
    for (std::size_t i = 0; i < count && is_sound_; ++i) (*this)(list.emplace_back());
  }
  void operator()(std::optional<WallTime>& time) {
    bool is_there = false;
    std::uint64_t micros = 0;
    (*this)(is_there);
    (*this)(micros);
    constexpr std::uint64_t year_2200 = 7'258'118'400'000'000;
    if (is_there && micros < year_2200) time = from_micros(static_cast<std::int64_t>(micros));
  }
  template <class T>
  requires std::is_aggregate_v<T>
  void operator()(T& value);

  bool is_finished() const { return is_sound_ && rest_.empty(); }

 private:
  std::uint32_t length() {
    const std::string_view bytes = take(4);
    return bytes.size() == 4 ? read_length(bytes) : 0;
  }
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) {
      is_sound_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }

  std::string_view rest_;
  bool is_sound_ = true;
};

// One description of each struct for both directions.
template <class Visit, class Address>
requires std::is_same_v<std::remove_const_t<Address>, mail::Address>
void each(Visit& visit, Address& value) {
  visit(value.name);
  visit(value.addr);
}
template <class Visit, class Header>
requires std::is_same_v<std::remove_const_t<Header>, mail::Header>
void each(Visit& visit, Header& value) {
  visit(value.name);
  visit(value.value);
}
template <class Visit, class Attachment>
requires std::is_same_v<std::remove_const_t<Attachment>, mail::Attachment>
void each(Visit& visit, Attachment& value) {
  visit(value.name);
  visit(value.original_name);
  visit(value.content_type);
  visit(value.content_id);
  visit(value.is_inline);
  visit(value.size);
}
template <class Visit, class Message>
requires std::is_same_v<std::remove_const_t<Message>, mail::Message>
void each(Visit& visit, Message& value) {
  visit(value.subject);
  visit(value.from);
  visit(value.to);
  visit(value.cc);
  visit(value.reply_to);
  visit(value.date);
  visit(value.message_id);
  visit(value.in_reply_to);
  visit(value.references);
  visit(value.body_text);
  visit(value.body_html);
  visit(value.attachments);
  visit(value.headers);
  visit(value.content_type);
  visit(value.report_type);
  visit(value.delivery_status);
  visit(value.returned_headers);
  visit(value.notes);
}

template <class T>
requires std::is_aggregate_v<T>
void Writer::operator()(const T& value) {
  each(*this, value);
}

template <class T>
requires std::is_aggregate_v<T>
void Reader::operator()(T& value) {
  each(*this, value);
}

}  // namespace

void append_length(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift & 0xff));
}

std::uint32_t read_length(std::string_view four_bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(four_bytes[i]);
  return value;
}

void append_frame(std::string& out, FrameKind kind, std::string_view payload) {
  out.push_back(static_cast<char>(kind));
  append_length(out, static_cast<std::uint32_t>(payload.size()));
  out += payload;
}

Result<std::optional<Frame>> next_frame(std::string_view buffer, std::size_t& consumed) {
  if (buffer.empty()) return std::optional<Frame>{};
  const auto kind = static_cast<std::uint8_t>(buffer[0]);
  if (kind < 1 || kind > 4)
    return Error{Code::bad_message, "the parser's answer makes no sense: unknown kind of frame"};
  if (buffer.size() < frame_header_bytes) return std::optional<Frame>{};
  const std::size_t length = read_length(buffer.substr(1, 4));
  if (length > longest_frame) return Error{Code::bad_message, "the parser's answer makes no sense: frame too long"};
  if (buffer.size() - frame_header_bytes < length) return std::optional<Frame>{};
  consumed = frame_header_bytes + length;
  return std::optional<Frame>{Frame{static_cast<FrameKind>(kind), buffer.substr(frame_header_bytes, length)}};
}

std::string encode_message(const mail::Message& message) {
  Writer writer;
  writer(message);
  return std::move(writer.out);
}

Result<mail::Message> decode_message(std::string_view bytes) {
  mail::Message message;
  Reader reader{bytes};
  reader(message);
  if (!reader.is_finished() || message.attachments.size() > most_attachments) {
    return Error{Code::bad_message, "the parser's answer makes no sense: the message is not whole"};
  }
  for (std::size_t i = 0; i < message.attachments.size(); ++i) {
    mail::Attachment& one = message.attachments[i];
    one.name = mail::safe_file_name(one.name, one.content_type, i + 1);
  }
  return message;
}

}  // namespace postroom::mail_sandbox
