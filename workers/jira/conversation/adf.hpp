#pragma once
// A ticket as an Atlassian Document (ADF, version 1): paragraphs of text and hard breaks, and one link. Pure.

#include <string>

#include "common/messages/work.hpp"

namespace postroom::jira {

constexpr std::size_t summary_limit = 255;            // UTF-16 units; Jira refuses more, and line ends
constexpr std::size_t description_budget = 30'000;    // UTF-16 units of the serialised document; Jira's own limit is 32,767

// The title on one line, cut with "…". Never empty.
std::string summary_of(const messages::TicketCard& ticket);

// The whole title when the summary cut it, the description, who it is from, where it is in Postroom, and last the line "Postroom <marker>".
// A description that does not fit the budget is cut with a note; the lines after it never are.
std::string document_of(const messages::TicketCard& ticket, std::string_view marker);

}  // namespace postroom::jira
