#include <fmt/format.h>

#include <algorithm>

#include "workers/jira/conversation/talks.hpp"

namespace postroom::jira {

using codec::JsonView;
using messages::ReasonClass;
using worker::Step;

namespace {
constexpr std::int64_t page_size = 100;  // the most that bulkfetch takes
constexpr int page_limit = 20;           // 2,000 issues since one create: a person had better look
}  // namespace

ResolveTalk::ResolveTalk(messages::Grant grant, std::string secret)
    : grant_(std::move(grant)), secret_(std::move(secret)), mapping_(grant_.target.jira.value_or(messages::JiraMapping{})) {}

Step ResolveTalk::begin() {
  if (!is_project_key(mapping_.project_key)) {
    return worker::Refuse{{ReasonClass::unresolvable, "the attempt in doubt names no Jira project key", {}, {}}};
  }
  // The base is noted durably before the create leaves. No base: it never left.
  if (!grant_.probe_base) return worker::NotSent{{ReasonClass::absent, "the worker had not come to the point of sending", {}, {}}};
  next_number_ = *grant_.probe_base + 1;
  stage_ = Stage::newest;
  return ask_newest(grant_.site, secret_, mapping_.project_key);
}

Step ResolveTalk::next(const worker::Answer& answer) {
  const auto& reply = std::get<http::Reply>(answer);
  if (auto limits = limits_of(reply)) limits_ = limits;
  if (reply.failure != http::Failure::none || reply.status != 200) return verdict_on(reply, false);
  const auto parsed = JsonView::parse(reply.body);
  if (!parsed || !(*parsed)["issues"].is_array()) return worker::not_understood(far_side, reply, false);
  switch (stage_) {
    case Stage::newest: return heard_newest(*parsed);
    case Stage::page: return heard_page(*parsed);
    case Stage::label: break;
  }
  keep_matches(*parsed);
  return verdict();
}

Step ResolveTalk::heard_newest(const JsonView& answer) {
  newest_ = highest_number(answer);
  return fetch_page();
}

Step ResolveTalk::fetch_page() {
  stage_ = Stage::page;
  ++pages_;
  codec::JsonWriter body;
  body.begin_object().member("issueIdsOrKeys").begin_array();
  for (std::int64_t i = 0; i < page_size; ++i) body.text(fmt::format("{}-{}", mapping_.project_key, next_number_ + i));
  body.end_array().member("fields").begin_array().text("labels").text("created").end_array();
  body.member("properties").begin_array().text(property_key).end_array().end_object();
  next_number_ += page_size;
  return ask(grant_.site, secret_, "POST", "/rest/api/3/issue/bulkfetch", body.take());
}

Step ResolveTalk::heard_page(const JsonView& answer) {
  keep_matches(answer);
  newest_ = std::max(newest_, highest_number(answer, mapping_.project_key));
  // Numbers have gaps (deleted, failed and moved issues): one empty page below the newest number ends nothing.
  const bool is_past_newest = answer["issues"].size() == 0 && next_number_ > newest_;
  if (is_past_newest) return mapping_.use_label.value_or(true) ? search_label() : verdict();
  if (pages_ < page_limit) return fetch_page();
  gave_up_ = true;
  return search_label();
}

Step ResolveTalk::search_label() {
  stage_ = Stage::label;
  codec::JsonWriter body;
  body.begin_object().text_member("jql", fmt::format("project = \"{}\" AND labels = \"{}\"", mapping_.project_key, label_of(grant_.marker)));
  body.member("fields").begin_array().text("labels").end_array().member("properties").begin_array().text(property_key).end_array();
  body.member("maxResults").integer(50).end_object();
  return ask(grant_.site, secret_, "POST", "/rest/api/3/search/jql", body.take());
}

void ResolveTalk::keep_matches(const JsonView& answer) {
  for (std::size_t i = 0; i < answer["issues"].size(); ++i) {
    const JsonView issue = answer["issues"][i];
    // The property is the proof; labels and text may be copied by people.
    if (issue["properties"][property_key]["marker"].text() != grant_.marker) continue;
    messages::Remote remote = remote_of(grant_.site, issue["id"].text_or_digits(), std::string{issue["key"].text()});
    if (std::ranges::find(found_, remote.id, &messages::Remote::id) == found_.end()) found_.push_back(std::move(remote));
  }
}

Step ResolveTalk::verdict() {
  if (found_.empty()) {
    if (gave_up_) {
      return worker::Refuse{{ReasonClass::unresolvable,
                             fmt::format("more than {} issues were created in {} since; search there for '{}'", page_limit * page_size,
                                         mapping_.project_key, grant_.marker),
                             {}, {}}};
    }
    return worker::NotSent{{ReasonClass::absent, "Jira has no issue of this delivery", {}, {}}};
  }
  // Ids are numbers without leading zeros: the shorter is the lower.
  std::ranges::sort(found_, [](const auto& a, const auto& b) { return std::pair{a.id.size(), a.id} < std::pair{b.id.size(), b.id}; });
  worker::Done done{found_.front(), {found_.begin() + 1, found_.end()}, ""};
  return done;
}

}  // namespace postroom::jira
