#include <fmt/format.h>

#include "workers/jira/conversation/adf.hpp"
#include "workers/jira/conversation/talks.hpp"

namespace postroom::jira {

using codec::JsonView;
using messages::ReasonClass;
using worker::Step;

CreateTalk::CreateTalk(messages::Grant grant, std::string secret)
    : grant_(std::move(grant)), secret_(std::move(secret)), mapping_(grant_.target.jira.value_or(messages::JiraMapping{})) {
  has_label_ = mapping_.use_label.value_or(true);
  has_priority_ = mapping_.priority && !mapping_.priority->empty();
}

Step CreateTalk::begin() {
  if (!is_project_key(mapping_.project_key)) {
    return worker::Refuse{{ReasonClass::invalid_data, "the board's mapping names no Jira project key like SUP", {}, {}}};
  }
  if (mapping_.issue_type.empty()) return worker::Refuse{{ReasonClass::invalid_data, "the board's mapping names no Jira issue type", {}, {}}};
  if (grant_.probe_base) return create();
  stage_ = Stage::newest;
  return ask_newest(grant_.site, secret_, mapping_.project_key);
}

Step CreateTalk::next(const worker::Answer& answer) {
  if (std::holds_alternative<worker::Committed>(answer)) return create();
  const auto& reply = std::get<http::Reply>(answer);
  if (auto limits = limits_of(reply)) limits_ = limits;
  return stage_ == Stage::newest ? heard_newest(reply) : heard_created(reply);
}

Step CreateTalk::heard_newest(const http::Reply& reply) {
  if (reply.failure != http::Failure::none || reply.status != 200) {
    // Jira answers 400 to a search in a project that is not there, or that this account may not see.
    if (reply.failure == http::Failure::none && reply.status == 400) {
      return worker::Refuse{{ReasonClass::not_found, fmt::format("Jira knows no project {}: {}", mapping_.project_key, errors_of(reply).words), 400, {}}};
    }
    return verdict_on(reply, false);
  }
  const auto parsed = JsonView::parse(reply.body);
  if (!parsed || !(*parsed)["issues"].is_array()) return worker::not_understood(far_side, reply, false);
  // All of them are in this project, under whatever key it has by now; numbers go on.
  grant_.probe_base = highest_number(*parsed);
  stage_ = Stage::noting;
  return worker::CommitAsk{grant_.probe_base};
}

Step CreateTalk::create() {
  stage_ = Stage::creating;
  worker::HttpAsk asked = ask(grant_.site, secret_, "POST", "/rest/api/3/issue", body());
  asked.has_effect = true;
  return asked;
}

Step CreateTalk::heard_created(const http::Reply& reply) {
  if (reply.failure == http::Failure::none && (reply.status == 201 || reply.status == 200)) {
    const auto parsed = JsonView::parse(reply.body);
    std::string id = parsed ? (*parsed)["id"].text_or_digits() : "", key = parsed ? std::string{(*parsed)["key"].text()} : "";
    if (id.empty() || !number_of(key)) return worker::not_understood(far_side, reply, true);
    return worker::Done{remote_of(grant_.site, std::move(id), std::move(key)), {}, note_};
  }
  if (auto again = without_optional_fields(reply)) return std::move(*again);
  return verdict_on(reply, true);
}

// Only on a structured 400 that names nothing else: then the issue was not created, and these fields are the whole reason.
std::optional<Step> CreateTalk::without_optional_fields(const http::Reply& reply) {
  if (reply.failure != http::Failure::none || reply.status != 400) return std::nullopt;
  const FieldErrors errors = errors_of(reply);
  bool drops_label = false, drops_priority = false;
  for (const auto& [field, words] : errors.fields) {
    if (field == "labels" && has_label_) {
      drops_label = true;
    } else if (field == "priority" && has_priority_) {
      drops_priority = true;
    } else {
      return std::nullopt;
    }
  }
  if (!drops_label && !drops_priority) return std::nullopt;
  has_label_ = has_label_ && !drops_label;
  has_priority_ = has_priority_ && !drops_priority;
  if (!note_.empty()) note_ += "; ";
  note_ += fmt::format("created without {}: {}", drops_label && drops_priority ? "label and priority" : drops_label ? "label" : "priority", errors.words);
  stage_ = Stage::noting;
  return worker::CommitAsk{grant_.probe_base};
}

std::string CreateTalk::body() const {
  codec::JsonWriter out;
  const auto add_named = [&](std::string_view member, std::string_view value) {
    out.member(member).begin_object().text_member(is_digits(value) ? "id" : "name", value).end_object();
  };
  out.begin_object().member("fields").begin_object();
  out.member("project").begin_object().text_member("key", mapping_.project_key).end_object();
  add_named("issuetype", mapping_.issue_type);
  out.text_member("summary", summary_of(grant_.ticket));
  out.member("description").raw(document_of(grant_.ticket, grant_.marker));
  if (has_priority_) add_named("priority", *mapping_.priority);
  if (has_label_) out.member("labels").begin_array().text(label_of(grant_.marker)).end_array();
  out.end_object();
  out.member("properties").begin_array().begin_object().text_member("key", property_key).member("value").begin_object();
  out.text_member("marker", grant_.marker).member("attempt").integer(grant_.attempt).text_member("ticket", grant_.ticket.id);
  out.end_object().end_object().end_array().end_object();
  return out.take();
}

}  // namespace postroom::jira
