#pragma once
// How clients introduce a quoted mail, in the languages that they speak. One line at a time, without state.

#include <cstddef>
#include <string_view>
#include <vector>

namespace postroom::mail {

bool is_quoted_line(std::string_view line);            // > text
bool is_original_message_line(std::string_view line);  // -----Original Message-----
bool is_forward_line(std::string_view line);           // ---------- Forwarded message ---------
bool is_reply_above_line(std::string_view line);       // our own mark and those of other desks
bool is_rule_line(std::string_view line);              // five or more _ or -
bool is_signature_mark(std::string_view line);         // "-- "
bool is_device_signature(std::string_view line);       // Sent from my phone

// "On Friday, Ann <ann@example.org> wrote:", over up to four lines that end at `end`. Returns where it begins, or end +
// 1 for "it is none".
std::size_t attribution_begin(const std::vector<std::string_view>& lines, std::size_t end);

// From:, Sent:, To:, Subject: as Outlook puts them above the mail that it quotes (others begin with Sent:), beginning at `begin`.
bool is_header_block(const std::vector<std::string_view>& lines, std::size_t begin);

}  // namespace postroom::mail
