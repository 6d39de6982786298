#include "api/download.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace postroom::api;

TEST_CASE("a plain name is said plainly") {
  CHECK(content_disposition("report 3.pdf", "application/pdf") == "attachment; filename=\"report 3.pdf\"");
}

TEST_CASE("other names are said twice: for old readers, and as they are") {
  CHECK(content_disposition("Größe.txt", "text/plain") == "attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt");
  CHECK(content_disposition("100%.txt", "text/plain").starts_with("attachment; filename=\"100_.txt\""));
}

TEST_CASE("no name breaks out of the header, names a path or hides its end") {
  for (const std::string& name : {std::string{"a\"; filename=\"b.exe"}, std::string{"a\r\nSet-Cookie: x"}, std::string{"../../etc/passwd"}, std::string{"C:\\x\\y.txt"},
                                 std::string{"a\0b.txt", 7}, std::string{"a\xe2\x80\xae" "txt.exe"}, std::string{"\xff\xfe.txt"}, std::string{}, std::string(4'000, 'x')}) {
    CAPTURE(name);
    const std::string value = content_disposition(name, "text/plain");
    CHECK(value.starts_with("attachment; filename=\""));
    CHECK(value.size() < 1'000);
    const auto end = value.find('"', 22);
    REQUIRE(end != std::string::npos);
    const auto plain = value.substr(22, end - 22);
    CHECK_FALSE(plain.empty());
    CHECK(plain.find_first_of("/\\\r\n") == std::string::npos);
    for (const char c : value) CHECK((c >= 0x20 && c < 0x7f));
    CHECK((value.size() == end + 1 || value.substr(end + 1).starts_with("; filename*=UTF-8''")));
    CHECK(value.find("E2%80%AE") == std::string::npos);
  }
}

TEST_CASE("a type is type/subtype or just bytes") {
  CHECK(safe_media_type("Text/HTML; charset=utf-8") == "text/html");
  CHECK(safe_media_type("application/vnd.ms-excel") == "application/vnd.ms-excel");
  for (const char* bad : {"", "text", "/", "text/", "/html", "text/html/x", "te xt/html", "text/html\r\nX: y", "text/<html>"}) {
    CAPTURE(bad);
    CHECK(safe_media_type(bad) == "application/octet-stream");
  }
  CHECK(safe_media_type("a/" + std::string(200, 'b')) == "application/octet-stream");
}
