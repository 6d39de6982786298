#pragma once
// Charsets → UTF-8 by iconv, all opened before the child is confined. Labels that lie are seen through where the bytes
// tell.

#include <iconv.h>

#include <string>
#include <string_view>
#include <vector>

namespace postroom::mail_sandbox {

class Charsets {
 public:
  Charsets();  // opens about 50 charsets: a few milliseconds
  ~Charsets();
  Charsets(const Charsets&) = delete;
  Charsets& operator=(const Charsets&) = delete;

  // In this order: UTF-8 that is labelled as a one-byte charset is UTF-8; the label's charset (or the superset that
  // mail programs mean by it); UTF-8; ISO-2022-JP by its escapes; Windows-1252. UTF-7 is not decoded: it would hide
  // text from every rule that looks at bytes.
  std::string to_utf8(std::string_view bytes, std::string_view label) const;

  bool knows(std::string_view label) const;  // an empty label is known: it means US-ASCII

  // GMime's and ours come from one place.
  std::size_t count() const { return open_.size(); }

 private:
  struct Open {
    std::string_view name;
    iconv_t descriptor;
    bool is_one_byte;
  };
  const Open* find(std::string_view label) const;
  static std::string converted(const Open& charset, std::string_view bytes);

  std::vector<Open> open_;
};

}  // namespace postroom::mail_sandbox
