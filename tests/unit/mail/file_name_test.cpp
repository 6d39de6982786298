#include "common/mail/file_name.hpp"

#include <doctest/doctest.h>

using postroom::mail::safe_file_name;

TEST_CASE("names of attachments are made safe") {
  struct Case {
    std::string_view original;
    std::string_view expected;
  };
  const Case cases[] = {
      {"plan.pdf", "plan.pdf"},
      {"Jahresübersicht 2026.xlsx", "Jahresübersicht 2026.xlsx"},
      {"../../etc/passwd", "passwd"},
      {"C:\\Users\\ann\\x.doc", "x.doc"},
      {".htaccess", "htaccess"},
      {".\xe2\x80\x8bhtaccess", "htaccess"},
      {"CON", "_CON"},
      {"lpt1.txt", "_lpt1.txt"},
      {"console.txt", "console.txt"},
      {"a\r\nb.txt", "ab.txt"},
      {"invoice\xe2\x80\xae"
       "fdp.exe",
       "invoicefdp.exe"},
      {"x.txt...", "x.txt"},
      {"a<b>:\"|?*.txt", "a_b______.txt"},
      {"-rf.txt", "_rf.txt"},
      {"", "attachment-2.pdf"},
      {"...", "attachment-2.pdf"},
      {"/", "attachment-2.pdf"},
      {"\xff\xfe.txt", "\xef\xbf\xbd\xef\xbf\xbd.txt"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.original);
    CHECK(safe_file_name(one.original, "application/pdf", 2) == one.expected);
  }
  CHECK(safe_file_name(std::string_view{"a\0b.txt", 7}, "text/plain", 1) == "ab.txt");
  const std::string longest = safe_file_name(std::string(4'096, 'x') + ".pdf", "application/pdf", 1);
  CHECK(longest.size() == 150);
  CHECK(longest.substr(146) == ".pdf");
}
