#include "workers/jira/conversation/adf.hpp"

#include <fmt/format.h>

#include <vector>

#include "common/base/text.hpp"
#include "common/codec/view.hpp"

namespace postroom::jira {

using codec::JsonWriter;

namespace {

// The grammar forbids empty text nodes; an empty line is a hard break and nothing else.
void add_text(JsonWriter& out, std::string_view text) {
  if (text.empty()) return;
  out.begin_object().text_member("type", "text").text_member("text", text).end_object();
}

void add_link(JsonWriter& out, std::string_view url) {
  out.begin_object().text_member("type", "text").text_member("text", url).member("marks").begin_array();
  out.begin_object().text_member("type", "link").member("attrs").begin_object().text_member("href", url).end_object().end_object();
  out.end_array().end_object();
}

// One paragraph; single line ends become hard breaks.
std::string paragraph(std::string_view text) {
  JsonWriter out;
  out.begin_object().text_member("type", "paragraph").member("content").begin_array();
  bool is_first = true;
  for (const auto line : split(text, '\n')) {
    if (!is_first) out.begin_object().text_member("type", "hardBreak").end_object();
    add_text(out, line);
    is_first = false;
  }
  return out.end_array().end_object().take();
}

std::string link_paragraph(std::string_view words, std::string_view url) {
  JsonWriter out;
  out.begin_object().text_member("type", "paragraph").member("content").begin_array();
  add_text(out, words);
  add_link(out, url);
  return out.end_array().end_object().take();
}

// Blocks between blank lines; line ends at their edges are gone.
std::vector<std::string> blocks_of(std::string_view text) {
  std::vector<std::string> blocks(1);
  for (const auto line : split(text, '\n')) {
    if (trimmed(line).empty()) {
      if (!blocks.back().empty()) blocks.emplace_back();
      continue;
    }
    if (!blocks.back().empty()) blocks.back().push_back('\n');
    blocks.back() += line;
  }
  if (blocks.back().empty()) blocks.pop_back();
  return blocks;
}

std::string creator_of(const messages::TicketCard& ticket) {
  const std::string name = ticket.creator_name ? on_one_line(*ticket.creator_name) : "";
  const std::string email = ticket.creator_email ? on_one_line(*ticket.creator_email) : "";
  if (!name.empty() && !email.empty()) return fmt::format("{} <{}>", name, email);
  return name.empty() ? email : name;
}

constexpr std::string_view shortened = "[Shortened: the whole text is in the ticket.]";

// The longest beginning of `block` whose paragraph has at most `budget` units; empty when not even a little fits.
std::string paragraph_within(std::string_view block, std::size_t budget) {
  // Every escape makes a text longer, so the cut is found by halving.
  std::size_t fits = 0, fails = utf16_length(block) + 1;
  while (fails - fits > 1) {
    const std::size_t middle = fits + (fails - fits) / 2;
    (utf16_length(paragraph(cut_utf16(block, middle))) <= budget ? fits : fails) = middle;
  }
  return fits == 0 ? "" : paragraph(cut_utf16(block, fits));
}

}  // namespace

std::string summary_of(const messages::TicketCard& ticket) {
  std::string title = on_one_line(ticket.title);
  if (title.empty()) return "(no title)";
  if (utf16_length(title) <= summary_limit) return title;
  return std::string{cut_utf16(title, summary_limit - 1)} + "…";
}

std::string document_of(const messages::TicketCard& ticket, std::string_view marker) {
  std::vector<std::string> before, after;
  const std::string title = on_one_line(ticket.title);
  // A title may be longer than the whole document should be.
  if (utf16_length(title) > summary_limit) before.push_back(paragraph_within(title, description_budget / 4));
  if (const std::string creator = creator_of(ticket); !creator.empty()) after.push_back(paragraph_within("From: " + creator, 2'000));
  after.push_back(link_paragraph(fmt::format("Ticket {} on {}: ", ticket.number, on_one_line(ticket.board_name)), on_one_line(ticket.url)));
  after.push_back(paragraph(fmt::format("Postroom {}", marker)));

  const std::string head = R"({"type":"doc","version":1,"content":[)";
  std::size_t used = utf16_length(head) + 2;
  for (const auto* part : {&before, &after}) {
    for (const auto& one : *part) used += utf16_length(one) + 1;
  }
  const std::string note = paragraph(shortened);
  const std::size_t reserved = utf16_length(note) + 1;
  std::vector<std::string> body;
  const auto blocks = blocks_of(plain_text(ticket.description));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    std::string whole = paragraph(blocks[i]);
    const std::size_t length = utf16_length(whole) + 1;
    const bool is_last = i + 1 == blocks.size();
    if (used + length + (is_last ? 0 : reserved) <= description_budget) {
      body.push_back(std::move(whole));
      used += length;
      continue;
    }
    const std::size_t left = used + reserved < description_budget ? description_budget - used - reserved - 1 : 0;
    if (std::string part = paragraph_within(blocks[i], left); !part.empty()) body.push_back(std::move(part));
    body.push_back(note);
    break;
  }

  std::string document = head;
  for (const auto* part : {&before, &body, &after}) {
    for (const auto& one : *part) {
      if (document.back() != '[') document.push_back(',');
      document += one;
    }
  }
  return document + "]}";
}

}  // namespace postroom::jira
