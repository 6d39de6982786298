#pragma once
// GMime's reference counts as RAII, and its bytes as strings.

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace postroom::mail_sandbox {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Handle = std::unique_ptr<T, Unref>;

inline std::string_view text_or_empty(const char* text) {
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

// The raw value of a field of a part, with folds; empty: it has none.
inline std::string_view raw_field(GMimeObject* object, const char* name) {
  GMimeHeader* header = g_mime_header_list_get_header(g_mime_object_get_header_list(object), name);
  return header == nullptr ? std::string_view{} : text_or_empty(g_mime_header_get_raw_value(header));
}

// Reads a stream from its beginning in pieces; `take` returns false to stop.
template <class Take>
void read_stream(GMimeStream* stream, Take take) {
  char buffer[64 * 1024];
  g_mime_stream_reset(stream);
  while (true) {
    const ssize_t count = g_mime_stream_read(stream, buffer, sizeof buffer);
    if (count <= 0 || !take(std::string_view{buffer, static_cast<std::size_t>(count)})) return;
  }
}

// The content of a part, decoded, in pieces.
template <class Take>
void read_content(GMimePart* part, Take take) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return;
  GMimeStream* encoded = g_mime_data_wrapper_get_stream(content);
  if (encoded == nullptr) return;
  const GMimeContentEncoding encoding = g_mime_data_wrapper_get_encoding(content);
  const bool is_encoded = encoding == GMIME_CONTENT_ENCODING_BASE64 ||
                          encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
                          encoding == GMIME_CONTENT_ENCODING_UUENCODE;
  if (!is_encoded) return read_stream(encoded, take);
  g_mime_stream_reset(encoded);
  const Handle<GMimeStream> decoded{g_mime_stream_filter_new(encoded)};
  const Handle<GMimeFilter> filter{g_mime_filter_basic_new(encoding, FALSE)};
  g_mime_stream_filter_add(reinterpret_cast<GMimeStreamFilter*>(decoded.get()), filter.get());
  char buffer[64 * 1024];
  while (true) {
    const ssize_t count = g_mime_stream_read(decoded.get(), buffer, sizeof buffer);
    if (count <= 0 || !take(std::string_view{buffer, static_cast<std::size_t>(count)})) return;
  }
}

}  // namespace postroom::mail_sandbox
