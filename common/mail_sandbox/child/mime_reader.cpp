#include "common/mail_sandbox/child/mime_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "common/mail/bounce.hpp"
#include "common/mail/date.hpp"
#include "common/mail/encoded_word.hpp"
#include "common/mail/file_name.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/html_text.hpp"
#include "common/mail/parameters.hpp"
#include "common/mail/plain_text.hpp"
#include "common/mail/prescan.hpp"
#include "common/mail/threading.hpp"
#include "common/mail_sandbox/child/gmime_handles.hpp"
#include "common/mail_sandbox/child/html_reader.hpp"
#include "common/mail_sandbox/child/raw_message.hpp"
#include "common/mail_sandbox/frames.hpp"

namespace postroom::mail_sandbox {

namespace {

using mail::Message;

constexpr std::size_t most_text_bytes = 4 << 20;  // of one text part that are decoded
constexpr std::size_t most_report_bytes = 256 << 10;
constexpr std::size_t most_notes = 20;

bool is_mime_field(std::string_view name) {
  return mail::equals_ignoring_case(name.substr(0, 8), "content-") || mail::equals_ignoring_case(name, "mime-version");
}

bool holds_addresses(std::string_view name) {
  for (const std::string_view one :
       {"from", "to", "cc", "bcc", "sender", "reply-to", "return-path", "x-failed-recipients", "delivered-to"}) {
    if (mail::equals_ignoring_case(name, one)) return true;
  }
  return false;
}

// Where text of the body goes: one section for each text part, or for all alternatives of one.
struct Section {
  std::string plain;
  std::string html;
};

// "This mail needs an HTML viewer" is no text.
bool is_mere_excuse(std::string_view plain) {
  if (trimmed(plain).empty()) return true;
  return plain.size() < 300 && mail::folded_case(plain).find("html") != std::string::npos;
}

class MailReader {
 public:
  MailReader(const Charsets& charsets, const AttachmentSink& sink)
      : charset_(
            [&charsets](std::string_view bytes, std::string_view label) { return charsets.to_utf8(bytes, label); }),
        charsets_(charsets),
        sink_(sink) {}

  Result<Message> read(std::string& bytes) {
    const mail::Prescan scan = mail::prescan(bytes);
    if (!scan.is_acceptable()) return Error{Code::bad_message, scan.refusal, "pre-scan"};
    const std::size_t body_begin = scan.start + scan.header_bytes;
    if (scan.has_nul_in_header) {
      std::replace(bytes.begin() + static_cast<std::ptrdiff_t>(scan.start),
                   bytes.begin() + static_cast<std::ptrdiff_t>(body_begin), '\0', ' ');
      note("NUL bytes in the header were replaced by blanks");
    }
    const std::string mime_header = read_header(std::string_view{bytes}.substr(scan.start, scan.header_bytes));
    if (scan.header_bytes == 0) note("the mail has no header; all of it is taken as text");

    // GMime sees the MIME fields and the body, in place: what replaces the header is never longer than it, but for a
    // mail without one.
    std::size_t begin = body_begin;
    if (mime_header.size() <= body_begin) {
      begin -= mime_header.size();
      mime_header.copy(bytes.data() + begin, mime_header.size());
    } else {
      bytes.replace(0, body_begin, mime_header);
      begin = 0;
    }
    GByteArray view{reinterpret_cast<guint8*>(bytes.data() + begin), static_cast<guint>(bytes.size() - begin)};
    const Handle<GMimeStream> stream{g_mime_stream_mem_new()};
    g_mime_stream_mem_set_byte_array(reinterpret_cast<GMimeStreamMem*>(stream.get()), &view);
    const Handle<GMimeParser> parser{g_mime_parser_new_with_stream(stream.get())};
    g_mime_parser_set_persist_stream(parser.get(), TRUE);
    const Handle<GMimeMessage> parsed{g_mime_parser_construct_message(parser.get(), nullptr)};
    if (parsed == nullptr) return Error{Code::bad_message, "GMime makes no message of it", "gmime"};
    GMimeObject* root = g_mime_message_get_mime_part(parsed.get());
    if (root != nullptr) walk(root, Place::top);
    finish_body();
    return std::move(message_);
  }

 private:
  enum class Place { top, mixed, alternative, related_root, attached };

  void note(std::string text) {
    const bool is_known = std::find(message_.notes.begin(), message_.notes.end(), text) != message_.notes.end();
    if (!is_known && message_.notes.size() < most_notes) message_.notes.push_back(std::move(text));
  }

  // Reads all fields; returns those that GMime needs, as a block of its own.
  std::string read_header(std::string_view block) {
    std::string mime;
    const auto fields = mail::split_header_block(block, mail::Limits{}.header_count).fields;
    const auto is_first = [&](const mail::RawField& field) {
      const auto first = std::find_if(fields.begin(), fields.end(), [&](const mail::RawField& one) {
        return mail::equals_ignoring_case(one.name, field.name);
      });
      if (first->value.data() == field.value.data()) return true;
      note(fmt::format("several {} fields; the first counts", to_valid_utf8(field.name)));
      return false;
    };
    for (const mail::RawField& field : fields) {
      const auto is = [&](std::string_view name) { return mail::equals_ignoring_case(field.name, name); };
      // Addresses stay encoded here, so that a decoded name cannot pose as an address when the field is read again.
      std::string text = holds_addresses(field.name)
                             ? to_valid_utf8(mail::without_control_bytes(mail::unfolded(field.value)))
                             : mail::decode_header(field.value, charset_);
      if (is_mime_field(field.name)) {
        if (is_first(field)) mime += fmt::format("{}:{}\n", field.name, field.value);
      } else if (is("Subject")) {
        if (is_first(field)) message_.subject = text;
      } else if (is("From")) {
        if (is_first(field)) message_.from = mail::parse_addresses(field.value, charset_);
      } else if (is("To")) {
        append(message_.to, field.value);
      } else if (is("Cc")) {
        append(message_.cc, field.value);
      } else if (is("Reply-To")) {
        if (is_first(field)) message_.reply_to = mail::parse_addresses(field.value, charset_);
      } else if (is("Date")) {
        if (is_first(field)) read_date(text);
      } else if (is("Message-ID")) {
        const auto ids = mail::parse_message_ids(field.value);
        if (is_first(field) && !ids.empty()) message_.message_id = to_valid_utf8(ids.front());
      } else if (is("In-Reply-To")) {
        if (is_first(field)) message_.in_reply_to = valid(mail::parse_message_ids(field.value));
      } else if (is("References")) {
        if (is_first(field)) message_.references = valid(mail::parse_message_ids(field.value));
      }
      message_.headers.push_back({to_valid_utf8(field.name), std::move(text)});
    }
    if (message_.from.size() > 1) note("several senders in From; the first counts");
    return mime + "\n";
  }

  static std::vector<std::string> valid(std::vector<std::string> ids) {
    for (std::string& id : ids) id = to_valid_utf8(id);
    return ids;
  }

  void append(std::vector<mail::Address>& list, std::string_view raw) {
    for (mail::Address& one : mail::parse_addresses(raw, charset_)) {
      if (list.size() < mail::most_addresses) list.push_back(std::move(one));
    }
  }

  void read_date(std::string_view text) {
    message_.date = mail::parse_date(text);
    if (!message_.date)
      note(fmt::format("the date \"{}\" makes no sense; the time of arrival counts", cut_utf8(text, 60)));
  }

  // --- the tree
  // -----------------------------------------------------------------------------------------------------------------------

  void walk(GMimeObject* object, Place place) {
    if (GMIME_IS_MESSAGE_PART(object)) return attach_message(reinterpret_cast<GMimeMessagePart*>(object));
    if (GMIME_IS_MULTIPART(object)) return walk_multipart(reinterpret_cast<GMimeMultipart*>(object), place);
    if (GMIME_IS_PART(object)) return read_part(reinterpret_cast<GMimePart*>(object), place);
  }

  mail::Parameters content_type(GMimeObject* object, Place place) {
    mail::Parameters type = mail::parse_parameters(raw_field(object, "Content-Type"), charset_);
    if (type.value.find('/') == std::string::npos) type.value = "text/plain";  // RFC 2045, 5.2
    if (place == Place::top) message_.content_type = type.value;
    return type;
  }

  void walk_multipart(GMimeMultipart* multipart, Place place) {
    auto* object = reinterpret_cast<GMimeObject*>(multipart);
    const mail::Parameters type = content_type(object, place);
    const int count = g_mime_multipart_get_count(multipart);
    if (count == 0) {  // no boundary, or none that occurs
      note("a multipart without parts; its text is taken as it stands");
      Section section;
      section.plain = charset_(text_or_empty(g_mime_multipart_get_prologue(multipart)), "");
      sections_.push_back(std::move(section));
      return;
    }
    const auto child = [&](int i) { return g_mime_multipart_get_part(multipart, i); };
    if (type.value == "multipart/alternative") {
      const bool is_nested = place == Place::alternative;
      if (!is_nested) sections_.emplace_back();
      const std::size_t section = is_nested ? alternative_ : sections_.size() - 1;
      const std::size_t outer = alternative_;
      alternative_ = section;
      for (int i = 0; i < count; ++i) walk(child(i), Place::alternative);
      alternative_ = outer;
    } else if (type.value == "multipart/related") {
      walk(child(0), place == Place::alternative ? Place::alternative : Place::related_root);
      for (int i = 1; i < count; ++i) walk(child(i), Place::attached);
    } else if (type.value == "multipart/signed") {
      walk(child(0), place == Place::top ? Place::mixed : place);
      for (int i = 1; i < count; ++i) walk(child(i), Place::attached);
    } else if (type.value == "multipart/report") {
      // Of the mail as a whole: a report that somebody passes on is no report of his.
      if (place == Place::top) message_.report_type = to_lower_ascii(type.get("report-type"));
      for (int i = 0; i < count; ++i) walk(child(i), Place::mixed);
    } else if (type.value == "multipart/encrypted") {
      note("the mail is encrypted; its parts are kept as attachments");
      for (int i = 0; i < count; ++i) walk(child(i), Place::attached);
    } else {
      for (int i = 0; i < count; ++i) walk(child(i), place == Place::attached ? place : Place::mixed);
    }
  }

  void read_part(GMimePart* part, Place place) {
    auto* object = reinterpret_cast<GMimeObject*>(part);
    const mail::Parameters type = content_type(object, place);
    const mail::Parameters disposition = mail::parse_parameters(raw_field(object, "Content-Disposition"), charset_);
    const bool is_report = !message_.report_type.empty() || mail::comes_from_a_mail_server(message_);
    if (is_report && (type.value == "message/delivery-status" || type.value == "message/global-delivery-status")) {
      message_.delivery_status += charset_(content(part, most_report_bytes), type.get("charset"));
      return;
    }
    if (is_report && (type.value == "text/rfc822-headers" || type.value == "message/global-headers"))
      return read_returned_headers(content(part, most_report_bytes));
    std::string name{disposition.get("filename")};
    const bool has_file_name = !name.empty();
    if (name.empty()) name = type.get("name");
    const bool is_text = type.value == "text/plain" || type.value == "text/html";
    // A name in Content-Type alone is a habit of some senders, not an attachment, on the first text of a mail.
    const bool is_body = is_text && place != Place::attached && disposition.value != "attachment" && !has_file_name &&
                         (name.empty() || (disposition.value.empty() && !has_text()));
    if (is_body) return read_text(part, type, place);
    if (place == Place::alternative && (type.value == "text/x-amp-html" || type.value == "text/watch-html"))
      return;  // a third form of the same text
    attach_part(part, type.value, name,
                disposition.value == "inline" ||
                    (place == Place::attached && disposition.value != "attachment" && has_content_id(object)));
  }

  bool has_text() const {
    return std::any_of(sections_.begin(), sections_.end(),
                       [](const Section& one) { return !one.plain.empty() || !one.html.empty(); });
  }

  static bool has_content_id(GMimeObject* object) { return !raw_field(object, "Content-ID").empty(); }

  std::string content(GMimePart* part, std::size_t most) {
    std::string bytes;
    read_content(part, [&](std::string_view piece) {
      bytes += piece.substr(0, most - bytes.size());
      if (bytes.size() < most) return true;
      note("a long text was cut; the raw mail has all of it");
      return false;
    });
    return bytes;
  }

  void read_text(GMimePart* part, const mail::Parameters& type, Place place) {
    std::string label{type.get("charset")};
    const std::string bytes = content(part, most_text_bytes);
    const bool is_html = type.value == "text/html";
    if (label.empty() && is_html) label = charset_in_html(bytes);
    if (!charsets_.knows(label))
      note(fmt::format("unknown charset \"{}\"; the text is a guess", cut_utf8(to_valid_utf8(label), 40)));
    std::string text = charset_(bytes, label);
    if (place != Place::alternative) sections_.emplace_back();
    Section& section = place == Place::alternative ? sections_[alternative_] : sections_.back();
    if (is_html) {
      section.html += text;
    } else {
      const bool is_flowed = mail::equals_ignoring_case(type.get("format"), "flowed");
      if (is_flowed) text = mail::unflowed(text, mail::equals_ignoring_case(type.get("delsp"), "yes"));
      if (!section.plain.empty() && !text.empty()) section.plain += "\n\n";
      section.plain += text;
    }
  }

  static std::string charset_in_html(std::string_view html) {
    const std::string head = to_lower_ascii(html.substr(0, 2'048));
    const auto at = head.find("charset=");
    if (at == std::string::npos) return {};
    std::string_view rest = std::string_view{head}.substr(at + 8);
    while (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) rest.remove_prefix(1);
    return std::string{rest.substr(0, rest.find_first_of("\"'; />"))};
  }

  // --- attachments
  // --------------------------------------------------------------------------------------------------------------------

  // Takes the place of the next attachment; its bytes must follow before the next one.
  mail::Attachment& begin_attachment(std::string_view name, std::string_view content_type) {
    const std::size_t number = message_.attachments.size() + 1;
    mail::Attachment attachment;
    attachment.original_name = std::string{cut_utf8(name, 1'024)};
    attachment.name = mail::safe_file_name(name, content_type, number);
    attachment.content_type = std::string{cut_utf8(to_valid_utf8(content_type), 200)};
    message_.attachments.push_back(std::move(attachment));
    return message_.attachments.back();
  }

  void put(mail::Attachment& attachment, std::string_view bytes) {
    attachment.size += bytes.size();
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, longest_piece);
      sink_(message_.attachments.size() - 1, piece);
      bytes.remove_prefix(piece.size());
    }
  }

  void attach_part(GMimePart* part, std::string_view type, std::string_view name, bool is_inline) {
    mail::Attachment& attachment = begin_attachment(name, type);
    attachment.is_inline = is_inline;
    const auto ids = mail::parse_message_ids(raw_field(reinterpret_cast<GMimeObject*>(part), "Content-ID"));
    if (!ids.empty()) attachment.content_id = to_valid_utf8(ids.front());
    if (type == "application/ms-tnef") note("winmail.dat (TNEF) is kept as it is");
    read_content(part, [&](std::string_view piece) {
      put(attachment, piece);
      return true;
    });
  }

  void attach_message(GMimeMessagePart* part) {
    GMimeMessage* inner = g_mime_message_part_get_message(part);
    if (inner == nullptr) return;
    auto* object = reinterpret_cast<GMimeObject*>(inner);
    if (!message_.report_type.empty() && message_.returned_headers.empty()) read_returned_headers(object);
    const mail::Parameters disposition =
        mail::parse_parameters(raw_field(reinterpret_cast<GMimeObject*>(part), "Content-Disposition"), charset_);
    std::string name{disposition.get("filename")};
    if (name.empty())
      name =
          std::string{mail::parse_parameters(raw_field(reinterpret_cast<GMimeObject*>(part), "Content-Type"), charset_)
                          .get("name")};
    if (name.empty()) name = mail::decode_header(raw_field(object, "Subject"), charset_);
    if (!name.empty() && !mail::equals_ignoring_case(name.substr(name.size() < 4 ? 0 : name.size() - 4), ".eml"))
      name += ".eml";
    mail::Attachment& attachment = begin_attachment(name, "message/rfc822");
    write_raw(object, [&](std::string_view piece) { put(attachment, piece); });
  }

  void read_returned_headers(GMimeObject* object) {
    GMimeHeaderList* headers = g_mime_object_get_header_list(object);
    for (int i = 0; i < g_mime_header_list_get_count(headers); ++i) {
      GMimeHeader* one = g_mime_header_list_get_header_at(headers, i);
      message_.returned_headers.push_back(
          {to_valid_utf8(text_or_empty(g_mime_header_get_name(one))),
           mail::decode_header(text_or_empty(g_mime_header_get_raw_value(one)), charset_)});
    }
  }

  void read_returned_headers(std::string_view text) {
    for (const mail::RawField& field : mail::split_header_block(text, 200).fields) {
      message_.returned_headers.push_back({to_valid_utf8(field.name), mail::decode_header(field.value, charset_)});
    }
  }

  // --- the body
  // -----------------------------------------------------------------------------------------------------------------------

  void finish_body() {
    for (Section& section : sections_) {
      std::string text = mail::normalised_text(section.plain);
      if (!section.html.empty()) {
        if (is_mere_excuse(text)) {
          if (auto from_html = text_of_html(section.html); !from_html) {
            note("the HTML is too deep to be shown as text; it is kept as an attachment");
            put(begin_attachment("message.html", "text/html"), section.html);
          } else if (!trimmed(*from_html).empty()) {
            text = std::move(*from_html);
          }
        }
        if (message_.body_html.size() + section.html.size() <= longest_html) {
          message_.body_html += section.html;
        } else {
          note("the HTML was cut; the raw mail has all of it");
          message_.body_html += cut_utf8(section.html, longest_html - message_.body_html.size());
        }
      }
      if (text.empty()) continue;
      if (!message_.body_text.empty()) message_.body_text += "\n\n";
      message_.body_text += text;
    }
    if (message_.body_text.size() > mail::longest_body_text) {
      message_.body_text = std::string{cut_utf8(message_.body_text, mail::longest_body_text)};
      note("the text was cut; the raw mail has all of it");
    }
  }

  mail::Charset charset_;
  const Charsets& charsets_;
  const AttachmentSink& sink_;
  Message message_;
  std::vector<Section> sections_;
  std::size_t alternative_ = 0;  // the section that alternatives add to
};

}  // namespace

void start_gmime() {
  g_mime_init();
  g_log_set_default_handler([](const gchar*, GLogLevelFlags, const gchar*, gpointer) {}, nullptr);
}

Result<Message> read_mail(std::string& bytes, const Charsets& charsets, const AttachmentSink& sink) {
  return MailReader{charsets, sink}.read(bytes);
}

}  // namespace postroom::mail_sandbox
