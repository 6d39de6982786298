#include "workers/imap_poller/trial.hpp"

#include <fmt/format.h>

#include "workers/imap_poller/trouble.hpp"

namespace postroom::imap_poller {

using imap_link::Trouble;
using messages::ReasonClass;

namespace {

constexpr const char* reach = "reach";
constexpr const char* certificate = "certificate";
constexpr const char* log_in = "log in";
constexpr const char* folder_check = "folder";
constexpr const char* abilities = "abilities";

}  // namespace

Trial::Trial(messages::ImapPollerTest test) : test_(std::move(test)), folder_(test_.folder.value_or("INBOX")) {}

void Trial::pass(std::string name, std::string detail) { checks_.push_back({std::move(name), true, std::move(detail)}); }

void Trial::stop_at(std::string name, std::string detail, ReasonClass why) {
  checks_.push_back({std::move(name), false, detail});
  result_ = messages::TestOutcome{test_.test_id, test_.site.connection_id, false, std::move(detail), checks_, why};
}

void Trial::pass_connection(std::string_view address, bool is_encrypted) {
  pass(reach, address.empty() ? "the server answers" : fmt::format("the server answers at {}", address));
  pass(certificate, is_encrypted ? "the connection is encrypted, and its certificate trusted"
                                 : "the server offers no encryption; outbound.allow permits to do without");
}

std::string Trial::on_connected(const imap_link::Standing& standing, SteadyTime now) {
  pass_connection(standing.address, standing.is_encrypted);
  pass(log_in, fmt::format("logged in as {}", test_.site.account));
  imap::Task task;
  task.mailbox = folder_;
  task.is_read_only = true;
  task.is_watching = false;
  engine_.emplace(std::move(task));
  return perform(engine_->start(now));
}

std::string Trial::on_bytes(std::string_view bytes, SteadyTime now) {
  return result_ || !engine_ ? std::string{} : perform(engine_->on_bytes(bytes, now));
}

std::string Trial::perform(const imap::Actions& actions) {
  std::string sent;
  for (const imap::Action& action : actions) {
    if (result_) break;
    if (const auto* send = std::get_if<imap::Send>(&action)) sent += send->bytes;
    if (const auto* mailbox = std::get_if<imap::Selected>(&action)) opened(*mailbox);
    if (const auto* failed = std::get_if<imap::Failed>(&action)) {
      const bool is_missing = failed->error.code() == Code::not_found;
      stop_at(folder_check, is_missing ? fmt::format("the login works, but there is no folder {}: {}", folder_, failed->error.what())
                                       : fmt::format("{} ({})", failed->error.what(), folder_),
              is_missing                                        ? ReasonClass::not_found
              : failed->error.code() == Code::unauthorized ? ReasonClass::credentials
                                                                : ReasonClass::protocol);
    }
  }
  return result_ ? std::string{} : sent;
}

void Trial::opened(const imap::Selected& mailbox) {
  pass(folder_check, fmt::format("{} holds {} mails", folder_, mailbox.exists));
  const bool can_push = engine_->can("IDLE");
  const bool can_remove = engine_->can("MOVE") || engine_->can("UIDPLUS");
  pass(abilities, fmt::format("{}; {}",
                              can_push ? "new mail is told at once (IDLE)" : "new mail is looked for at the inbox's interval (no IDLE)",
                              can_remove ? "mails can be moved and deleted after they were taken over"
                                         : "mails can only be flagged after they were taken over (neither MOVE nor UIDPLUS)"));
  result_ = messages::TestOutcome{test_.test_id, test_.site.connection_id, true,
                                  fmt::format("{} is open: {} mails", folder_, mailbox.exists), checks_, ReasonClass::none};
}

void Trial::on_disconnected(const imap_link::Ending& ending) {
  if (result_) return;
  const ReasonClass why = reason_class_of(ending.trouble);
  if (engine_) return stop_at(folder_check, ending.text, why);
  switch (ending.trouble) {
    case Trouble::credentials:
    case Trouble::server:
      pass_connection(ending.address, ending.is_secured);
      return stop_at(log_in, ending.text, why);
    case Trouble::certificate:
    case Trouble::no_encryption:
      pass(reach, fmt::format("the server answers at {}", ending.address));
      return stop_at(certificate, ending.text, why);
    case Trouble::timeout:
    case Trouble::unreachable:
      if (!ending.is_secured) break;
      pass_connection(ending.address, true);
      return stop_at(log_in, ending.text, why);
    default:
      break;
  }
  stop_at(reach, ending.text, why);
}

void Trial::on_no_secret() {
  stop_at("secret", "the stored password cannot be opened; enter it again", ReasonClass::credentials);
}

void Trial::on_too_late() {
  if (!result_) stop_at(engine_ ? folder_check : reach, "the server did not answer in time", ReasonClass::timeout);
}

}  // namespace postroom::imap_poller
