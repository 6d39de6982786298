#include <fmt/format.h>

#include "common/http/exchange.hpp"
#include "workers/jira/conversation/talks.hpp"

namespace postroom::jira {

using codec::JsonView;
using messages::ReasonClass;
using worker::reason_class_of;
using worker::TestStep;

namespace {

bool is_good(const http::Reply& reply) { return reply.failure == http::Failure::none && reply.status == 200; }

std::string words_of(const http::Reply& reply) {
  if (reply.failure != http::Failure::none) return worker::transport_words(far_side, reply);
  return fmt::format("Jira answered {}: {}", reply.status, errors_of(reply).words);
}

}  // namespace

TestTalk::TestTalk(messages::JiraTest test, std::string secret) : test_(std::move(test)), secret_(std::move(secret)) {}

TestStep TestTalk::begin() { return ask(test_.site, secret_, "GET", "/rest/api/3/myself"); }

TestStep TestTalk::next(const worker::Answer& answer) {
  const auto& reply = std::get<http::Reply>(answer);
  switch (stage_) {
    case Stage::myself: return heard_myself(reply);
    case Stage::permissions: return heard_permissions(reply);
    case Stage::types: return heard_types(reply);
    case Stage::fields: break;
  }
  return heard_fields(reply);
}

TestStep TestTalk::heard_myself(const http::Reply& reply) {
  if (reply.failure != http::Failure::none) return failed("reach", words_of(reply), reason_class_of(reply));
  const bool is_rejected = reply.status == 401 || reply.status == 403;
  const auto parsed = JsonView::parse(reply.body);
  const bool is_jira = is_rejected || (reply.status == 200 && parsed && !(*parsed)["accountId"].text().empty());
  if (!is_jira && reply.status < 500 && reply.status != 429) {
    return failed("reach", fmt::format("what answers at {} ({}) is no Jira Cloud site; check the address", test_.site.base_url, reply.status),
                  ReasonClass::protocol);
  }
  if (!is_jira) return failed("reach", words_of(reply), reason_class_of(reply));
  checks_.push_back({"reach", true, ""});
  if (is_rejected) {
    return failed("log in", fmt::format("Jira does not accept the account {} with this token ({}); make a new API token at "
                                        "id.atlassian.com and enter it",
                                        test_.site.account, reply.status),
                  ReasonClass::credentials);
  }
  checks_.push_back({"log in", true, fmt::format("as {}", worker::as_words((*parsed)["displayName"].text()))});
  if (!test_.mapping) return passed();
  if (!is_project_key(test_.mapping->project_key)) return failed("project", "the board's mapping names no project key like SUP");
  stage_ = Stage::permissions;
  return ask(test_.site, secret_, "GET",
             "/rest/api/3/mypermissions?projectKey=" + http::percent_encoded(test_.mapping->project_key) + "&permissions=BROWSE_PROJECTS,CREATE_ISSUES");
}

TestStep TestTalk::heard_permissions(const http::Reply& reply) {
  const std::string& project = test_.mapping->project_key;
  if (reply.failure == http::Failure::none && reply.status == 404) {
    return failed("project", fmt::format("there is no project {} that this account can see", project), ReasonClass::not_found);
  }
  const auto parsed = JsonView::parse(reply.body);
  if (!is_good(reply) || !parsed) return failed("project", words_of(reply), reason_class_of(reply));
  checks_.push_back({"project", true, ""});
  std::string missing;
  for (const auto* key : {"BROWSE_PROJECTS", "CREATE_ISSUES"}) {
    if (!(*parsed)["permissions"][key]["havePermission"].is_true()) missing += fmt::format("{}{}", missing.empty() ? "" : " and ", key);
  }
  if (!missing.empty()) {
    return failed("permissions", fmt::format("the account lacks {} in {}; a Jira administrator can grant it", missing, project), ReasonClass::credentials);
  }
  checks_.push_back({"permissions", true, ""});
  stage_ = Stage::types;
  return ask(test_.site, secret_, "GET", fmt::format("/rest/api/3/issue/createmeta/{}/issuetypes?maxResults=200", http::percent_encoded(project)));
}

TestStep TestTalk::heard_types(const http::Reply& reply) {
  const auto parsed = JsonView::parse(reply.body);
  if (!is_good(reply) || !parsed) return failed("issue type", words_of(reply), reason_class_of(reply));
  const JsonView types = (*parsed)["issueTypes"];
  std::string known, id;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string name{types[i]["name"].text()}, number = types[i]["id"].text_or_digits();
    if (test_.mapping->issue_type == name || test_.mapping->issue_type == number) id = number;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
  }
  if (id.empty()) {
    return failed("issue type", fmt::format("{} has no issue type '{}'; it offers: {}", test_.mapping->project_key, test_.mapping->issue_type,
                                            worker::as_words(known)));
  }
  checks_.push_back({"issue type", true, ""});
  stage_ = Stage::fields;
  return ask(test_.site, secret_, "GET",
             fmt::format("/rest/api/3/issue/createmeta/{}/issuetypes/{}?maxResults=200", http::percent_encoded(test_.mapping->project_key),
                         http::percent_encoded(id)));
}

TestStep TestTalk::heard_fields(const http::Reply& reply) {
  const auto parsed = JsonView::parse(reply.body);
  if (!is_good(reply) || !parsed) return failed("fields", words_of(reply), reason_class_of(reply));
  const JsonView fields = (*parsed)["fields"];
  std::string wanted;
  bool offers_labels = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string id{fields[i]["fieldId"].text()};
    offers_labels = offers_labels || id == "labels";
    const bool is_ours = id == "project" || id == "issuetype" || id == "summary" || id == "description" || id == "reporter";
    const bool is_missing = fields[i]["required"].is_true() && !fields[i]["hasDefaultValue"].is_true() && !is_ours &&
                            !(id == "priority" && test_.mapping->priority) && !(id == "labels" && test_.mapping->use_label.value_or(true));
    if (is_missing) wanted += fmt::format("{}{}", wanted.empty() ? "" : ", ", fields[i]["name"].text());
  }
  if (!wanted.empty()) {
    return failed("fields", fmt::format("Jira requires fields that Postroom does not fill: {}; make them optional or choose another issue type",
                                        worker::as_words(wanted)));
  }
  const bool loses_label = test_.mapping->use_label.value_or(true) && !offers_labels;
  checks_.push_back({"fields", true, loses_label ? "labels are not on the create screen; issues are made without Postroom's label" : ""});
  return passed();
}

TestStep TestTalk::failed(std::string name, std::string detail, ReasonClass reason_class) {
  checks_.push_back({std::move(name), false, detail});
  return worker::Tested{std::move(checks_), std::move(detail), reason_class};
}

TestStep TestTalk::passed() const {
  std::string summary = test_.mapping ? fmt::format("issues can be created in {}", test_.mapping->project_key) : "the site can be reached and the account logs in";
  return worker::Tested{checks_, std::move(summary)};
}

}  // namespace postroom::jira
