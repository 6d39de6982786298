#include "common/mail_sandbox/child/raw_message.hpp"

#include "common/mail_sandbox/child/gmime_handles.hpp"

namespace postroom::mail_sandbox {

namespace {

using Out = std::function<void(std::string_view)>;

class Writer {
 public:
  explicit Writer(const Out& out) : out_(out) {}

  void write(GMimeObject* object) {
    headers(object);
    if (GMIME_IS_MESSAGE(object)) {
      // The fields of the message and of its first part stand in one block.
      GMimeObject* body = g_mime_message_get_mime_part(reinterpret_cast<GMimeMessage*>(object));
      if (body != nullptr) return write(body);
      return out_(line_end_);
    }
    out_(line_end_);
    if (GMIME_IS_MESSAGE_PART(object)) {
      GMimeMessage* message = g_mime_message_part_get_message(reinterpret_cast<GMimeMessagePart*>(object));
      if (message != nullptr) write(reinterpret_cast<GMimeObject*>(message));
    } else if (GMIME_IS_MULTIPART(object)) {
      parts(reinterpret_cast<GMimeMultipart*>(object));
    } else if (GMIME_IS_PART(object)) {
      GMimeDataWrapper* content = g_mime_part_get_content(reinterpret_cast<GMimePart*>(object));
      GMimeStream* encoded = content == nullptr ? nullptr : g_mime_data_wrapper_get_stream(content);
      if (encoded == nullptr) return;
      read_stream(encoded, [&](std::string_view piece) {
        out_(piece);
        return true;
      });
    }
  }

 private:
  void headers(GMimeObject* object) {
    GMimeHeaderList* headers = g_mime_object_get_header_list(object);
    for (int i = 0; i < g_mime_header_list_get_count(headers); ++i) {
      GMimeHeader* header = g_mime_header_list_get_header_at(headers, i);
      out_(text_or_empty(g_mime_header_get_name(header)));
      out_(":");
      const std::string_view value = text_or_empty(g_mime_header_get_raw_value(header));
      out_(value);
      if (value.empty() || value.back() != '\n') {
        out_(line_end_);
      } else {
        line_end_ = value.size() > 1 && value[value.size() - 2] == '\r' ? "\r\n" : "\n";  // as the mail itself does
      }
    }
  }

  void parts(GMimeMultipart* multipart) {
    const std::string_view boundary =
        text_or_empty(g_mime_object_get_content_type_parameter(reinterpret_cast<GMimeObject*>(multipart), "boundary"));
    const auto delimiter = [&](std::string_view end) {
      out_(line_end_);
      out_("--");
      out_(boundary);
      out_(end);
      out_(line_end_);
    };
    out_(text_or_empty(g_mime_multipart_get_prologue(multipart)));
    for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i) {
      delimiter("");
      write(g_mime_multipart_get_part(multipart, i));
    }
    delimiter("--");
    out_(text_or_empty(g_mime_multipart_get_epilogue(multipart)));
  }

  const Out& out_;
  std::string_view line_end_ = "\r\n";
};

}  // namespace

void write_raw(GMimeObject* object, const Out& out) {
  Writer{out}.write(object);
}

}  // namespace postroom::mail_sandbox
