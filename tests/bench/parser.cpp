// bench_parser: the reference of `parse`: bare GMime and Gumbo in this very process, without limits, rules or a
// sandbox.
//
//   bench_parser LIST     a file with one path a line
//
// Of each mail: header fields, every part's content decoded, text parts to UTF-8, HTML to a tree whose text is
// collected. Prints one line: mails, bytes of text found, seconds of processor time.

#include <gmime/gmime.h>
#include <gumbo.h>
#include <time.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

struct Found {
  std::size_t mails = 0, text = 0;
};

void collect(const GumboNode& node, std::string& text) {
  if (node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_WHITESPACE) text += node.v.text.text;
  if (node.type != GUMBO_NODE_ELEMENT && node.type != GUMBO_NODE_DOCUMENT) return;
  const GumboVector& children = node.type == GUMBO_NODE_ELEMENT ? node.v.element.children : node.v.document.children;
  for (unsigned n = 0; n < children.length; ++n) collect(*static_cast<const GumboNode*>(children.data[n]), text);
}

std::string content_of(GMimePart* part, bool is_text) {
  GMimeStream* memory = g_mime_stream_mem_new();
  GMimeStream* out = g_mime_stream_filter_new(memory);
  const char* charset = is_text ? g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset") : nullptr;
  if (charset != nullptr) {
    if (GMimeFilter* filter = g_mime_filter_charset_new(charset, "UTF-8")) {
      g_mime_stream_filter_add(GMIME_STREAM_FILTER(out), filter);
      g_object_unref(filter);
    }
  }
  if (GMimeDataWrapper* content = g_mime_part_get_content(part)) g_mime_data_wrapper_write_to_stream(content, out);
  g_mime_stream_flush(out);
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
  std::string text{reinterpret_cast<const char*>(bytes->data), bytes->len};
  g_object_unref(out);
  g_object_unref(memory);
  return text;
}

void read_part(GMimeObject*, GMimeObject* part, void* found) {
  if (!GMIME_IS_PART(part)) return;
  GMimeContentType* type = g_mime_object_get_content_type(part);
  const std::string content = content_of(GMIME_PART(part), g_mime_content_type_is_type(type, "text", "*") != 0);
  std::string text;
  if (g_mime_content_type_is_type(type, "text", "html") != 0) {
    GumboOptions options = kGumboDefaultOptions;
    GumboOutput* tree = gumbo_parse_with_options(&options, content.data(), content.size());
    collect(*tree->document, text);
    gumbo_destroy_output(&options, tree);
  }
  static_cast<Found*>(found)->text += text.empty() ? content.size() : text.size();
}

void read_mail(const std::string& path, Found& found) {
  std::ifstream file{path, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  GMimeStream* stream = g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size());
  GMimeParser* parser = g_mime_parser_new_with_stream(stream);
  GMimeMessage* message = g_mime_parser_construct_message(parser, nullptr);
  g_object_unref(parser);
  g_object_unref(stream);
  if (message == nullptr) throw std::runtime_error("not a mail: " + path);
  for (InternetAddressList* list :
       {g_mime_message_get_from(message), g_mime_message_get_to(message), g_mime_message_get_cc(message)}) {
    if (char* shown = internet_address_list_to_string(list, nullptr, FALSE)) g_free(shown);
  }
  const char* subject = g_mime_message_get_subject(message);
  found.text += subject == nullptr ? 0 : std::string{subject}.size();
  g_mime_message_get_date(message);
  g_mime_message_foreach(message, read_part, &found);
  g_object_unref(message);
  ++found.mails;
}

}  // namespace

int main(int count, char** words) {
  try {
    if (count != 2) throw std::invalid_argument("which mails? a file with one path a line");
    std::ifstream list{words[1]};
    g_mime_init();
    Found found;
    for (std::string path; std::getline(list, path);) read_mail(path, found);
    timespec spent{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    std::printf("%zu %zu %.6f\n", found.mails, found.text,
                static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9);
    return 0;
  } catch (const std::exception& wrong) {
    std::fprintf(stderr, "bench_parser: %s\n", wrong.what());
    return 2;
  }
}
