#include "common/mail_sandbox/child/raw_message.hpp"

#include "common/mail_sandbox/child/gmime_handles.hpp"

namespace postroom::mail_sandbox {

namespace {

void write_headers(GMimeObject* object, const std::function<void(std::string_view)>& out) {
  GMimeHeaderList* headers = g_mime_object_get_header_list(object);
  for (int i = 0; i < g_mime_header_list_get_count(headers); ++i) {
    GMimeHeader* header = g_mime_header_list_get_header_at(headers, i);
    out(text_or_empty(g_mime_header_get_name(header)));
    out(":");
    const std::string_view value = text_or_empty(g_mime_header_get_raw_value(header));
    out(value);
    if (value.empty() || value.back() != '\n') out("\n");
  }
}

}  // namespace

void write_raw(GMimeObject* object, const std::function<void(std::string_view)>& out) {
  if (GMIME_IS_MESSAGE(object)) {
    // The fields of the message and of its first part stand in one block.
    write_headers(object, out);
    GMimeObject* body = g_mime_message_get_mime_part(reinterpret_cast<GMimeMessage*>(object));
    if (body != nullptr) return write_raw(body, out);
    return out("\n");
  }
  write_headers(object, out);
  out("\n");
  if (GMIME_IS_MESSAGE_PART(object)) {
    GMimeMessage* message = g_mime_message_part_get_message(reinterpret_cast<GMimeMessagePart*>(object));
    if (message != nullptr) write_raw(reinterpret_cast<GMimeObject*>(message), out);
  } else if (GMIME_IS_MULTIPART(object)) {
    auto* multipart = reinterpret_cast<GMimeMultipart*>(object);
    const std::string_view boundary = text_or_empty(g_mime_object_get_content_type_parameter(object, "boundary"));
    out(text_or_empty(g_mime_multipart_get_prologue(multipart)));
    for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i) {
      out("\n--");
      out(boundary);
      out("\n");
      write_raw(g_mime_multipart_get_part(multipart, i), out);
    }
    out("\n--");
    out(boundary);
    out("--\n");
    out(text_or_empty(g_mime_multipart_get_epilogue(multipart)));
  } else if (GMIME_IS_PART(object)) {
    GMimeDataWrapper* content = g_mime_part_get_content(reinterpret_cast<GMimePart*>(object));
    GMimeStream* encoded = content == nullptr ? nullptr : g_mime_data_wrapper_get_stream(content);
    if (encoded == nullptr) return;
    read_stream(encoded, [&](std::string_view piece) {
      out(piece);
      return true;
    });
  }
}

}  // namespace postroom::mail_sandbox
