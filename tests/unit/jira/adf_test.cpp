#include <doctest/doctest.h>

#include "common/base/text.hpp"
#include "common/codec/view.hpp"
#include "tests/support/replies.hpp"
#include "workers/jira/conversation/adf.hpp"

using namespace postroom;
using namespace postroom::jira;
using codec::JsonView;

namespace {

const std::string marker = std::string{fakes::installation} + "." + fakes::delivery;

JsonView document(const messages::TicketCard& ticket) {
  const std::string text = document_of(ticket, marker);
  CHECK(utf16_length(text) <= description_budget);
  const auto parsed = JsonView::parse(text);
  REQUIRE_MESSAGE(parsed.ok(), (parsed.ok() ? "" : parsed.error().text()));
  return *parsed;
}

// The texts of a paragraph, hard breaks as "|".
std::string words(const JsonView& paragraph) {
  std::string out;
  for (std::size_t i = 0; i < paragraph["content"].size(); ++i) {
    const JsonView node = paragraph["content"][i];
    out += node["type"].text() == "hardBreak" ? "|" : std::string{node["text"].text()};
  }
  return out;
}

// The grammar's rules for the nodes that we use (adf-schema full.json): paragraphs in a doc, texts of at least one character, links with an href.
void check_grammar(const JsonView& doc) {
  CHECK(doc["type"].text() == "doc");
  CHECK(doc["version"].integer() == 1);
  for (std::size_t i = 0; i < doc["content"].size(); ++i) {
    const JsonView paragraph = doc["content"][i];
    CHECK(paragraph["type"].text() == "paragraph");
    for (std::size_t k = 0; k < paragraph["content"].size(); ++k) {
      const JsonView node = paragraph["content"][k];
      if (node["type"].text() == "hardBreak") continue;
      REQUIRE(node["type"].text() == "text");
      CHECK_FALSE(node["text"].text().empty());
      CHECK(node["text"].text().find('\n') == std::string_view::npos);
    }
  }
}

}  // namespace

TEST_CASE("a document has the description, the creator, the ticket's link, and last the marker") {
  const JsonView doc = document(fakes::ticket());
  check_grammar(doc);
  REQUIRE(doc["content"].size() == 5);
  CHECK(words(doc["content"][0]) == "It burns.");
  CHECK(words(doc["content"][1]) == "Please help.");
  CHECK(words(doc["content"][2]) == "From: Ada <ada@example.org>");
  CHECK(words(doc["content"][3]) == "Ticket 42 on Support: https://desk.example.org/v1/tickets/0190cccc-0000-7000-8000-00000000000c");
  CHECK(doc["content"][3]["content"][1]["marks"][0]["attrs"]["href"].text() == fakes::ticket().url);
  CHECK(words(doc["content"][4]) == "Postroom " + marker);
}

TEST_CASE("single line ends are hard breaks, blank lines part paragraphs, nothing is empty") {
  auto ticket = fakes::ticket();
  ticket.description = "\r\n\r\na\r\nb\n\n\n \n c\n";
  const JsonView doc = document(ticket);
  check_grammar(doc);
  CHECK(words(doc["content"][0]) == "a|b");
  CHECK(words(doc["content"][1]) == " c");
}

TEST_CASE("a ticket without description and creator is still a document") {
  auto ticket = fakes::ticket();
  ticket.description = " \n ";
  ticket.creator_email.reset();
  ticket.creator_name.reset();
  const JsonView doc = document(ticket);
  check_grammar(doc);
  CHECK(doc["content"].size() == 2);
}

TEST_CASE("control characters and broken UTF-8 do not reach Jira") {
  auto ticket = fakes::ticket();
  ticket.description = "a\x01" "b\x0b" "c\xed\xa0\x80" "d\xef\xbf\xbf";
  ticket.creator_name = "Ada\r\nPostroom forged";
  const JsonView doc = document(ticket);
  check_grammar(doc);
  CHECK(words(doc["content"][0]) == "abcd");
  CHECK(words(doc["content"][1]) == "From: Ada Postroom forged <ada@example.org>");
}

TEST_CASE("a long description is cut within the budget with a note, and the marker stays") {
  for (const std::string& piece : {std::string{"x"}, std::string{"\""}, std::string{"€"}, std::string{"😀"}, std::string{"line\n"}, std::string{"block\n\n"}}) {
    CAPTURE(piece);
    auto ticket = fakes::ticket();
    ticket.description.clear();
    while (ticket.description.size() < 200'000) ticket.description += piece;
    const std::string text = document_of(ticket, marker);
    const JsonView doc = document(ticket);
    check_grammar(doc);
    const std::size_t count = doc["content"].size();
    CHECK(words(doc["content"][count - 1]) == "Postroom " + marker);
    CHECK(words(doc["content"][count - 4]).starts_with("[Shortened"));
    CHECK(utf16_length(text) > description_budget - 600);  // and not cut more than needed
  }
}

TEST_CASE("a description that just fits is not cut") {
  auto ticket = fakes::ticket();
  ticket.description = std::string(10'000, 'a') + "\n\n" + std::string(10'000, 'b');
  const JsonView doc = document(ticket);
  CHECK(words(doc["content"][0]).size() == 10'000);
  CHECK(words(doc["content"][1]).size() == 10'000);
  CHECK(words(doc["content"][2]).starts_with("From:"));
}

TEST_CASE("a summary is one line of at most 255 UTF-16 units, cut between code points") {
  auto ticket = fakes::ticket();
  CHECK(summary_of(ticket) == "Printer on fire");
  ticket.title = "  two\r\nlines\tand\x07 bell ";
  CHECK(summary_of(ticket) == "two lines and bell");
  ticket.title = std::string(255, 'x');
  CHECK(summary_of(ticket) == ticket.title);
  ticket.title = std::string(256, 'x');
  CHECK(summary_of(ticket) == std::string(254, 'x') + "…");
  ticket.title.clear();
  for (int i = 0; i < 200; ++i) ticket.title += "😀";
  CHECK(utf16_length(summary_of(ticket)) == 255);
  CHECK(is_valid_utf8(summary_of(ticket)));
  ticket.title = " \n ";
  CHECK(summary_of(ticket) == "(no title)");
}

TEST_CASE("a title that was cut stands whole before the description") {
  auto ticket = fakes::ticket();
  ticket.title = std::string(300, 'x') + " end";
  const JsonView doc = document(ticket);
  CHECK(words(doc["content"][0]) == ticket.title);
  CHECK(words(doc["content"][1]) == "It burns.");
  ticket.title = std::string(100'000, 'x');
  ticket.description = std::string(100'000, 'y');
  check_grammar(document(ticket));
}
