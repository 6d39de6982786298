#include "common/store/json_object.hpp"
#include "common/store/views.hpp"

namespace postroom::store {

using views::Object;

namespace {

constexpr std::int64_t second_ms = 1'000, minute_ms = 60'000;

std::string_view verdict_of(const MailRow& mail) { return mail.verdict.empty() ? std::string_view{"pending"} : std::string_view{mail.verdict}; }

// A blob there is, whole or only its header; a mail that could not be fetched has none.
std::string raw_url(const MailRow& mail) { return mail.blob_sha256.empty() ? std::string{} : fmt::format("/v1/arrivals/{}/raw", mail.arrival_id); }

Object& text_or_null(Object& out, std::string_view name, const std::string& text) { return text.empty() ? out.raw(name, "null") : out.text(name, text); }

// What was found in the mail, as members of `out`.
void add_facts(Object& out, const MailRow& mail) {
  out.text("inbox_id", mail.inbox_id)
      .number("uid_validity", mail.uid_validity)
      .number("uid", mail.uid)
      .number("size", mail.blob_size)
      .name_of("extent", mail.extent)
      .text("trouble", mail.trouble)
      .name_of("stage", mail.stage);
  text_or_null(out, "message_id", mail.message_id);
  out.text("sender_address", mail.sender_address)
      .text("sender_name", mail.sender_name)
      .text("subject", mail.subject)
      .time("date", mail.date_at)
      .flag("is_auto", mail.is_auto)
      .text("auto_reason", mail.auto_reason)
      .time("received_at", mail.received_at);
  text_or_null(out, "raw_url", raw_url(mail));
}

std::string_view notice_kind(std::string_view cause) {
  if (cause == "ticket.opened") return "confirmation";
  return cause.starts_with("comment:") ? "comment" : cause.starts_with("state:") ? "state" : "other";
}

}  // namespace

std::string inbox_json(const MailInboxRow& inbox) {
  const bool is_idle = inbox.lease == LeaseState::idle;
  Object lease;
  lease.name_of("state", inbox.lease)
      .text("worker", is_idle ? std::string_view{} : std::string_view{inbox.worker})
      .time("until", is_idle ? 0 : inbox.lease_until)
      .text("stage", is_idle ? std::string_view{} : std::string_view{inbox.stage});
  return Object{}
      .text("id", inbox.id)
      .text("name", inbox.name)
      .text("connection_id", inbox.connection_id)
      .text("address", inbox.address)
      .text("folder", inbox.folder)
      .text("board_id", inbox.board_id)
      .text("smtp_connection_id", inbox.smtp_connection_id)
      .number("interval_seconds", inbox.interval_ms / second_ms)
      .flag("is_push", inbox.is_push)
      .name_of("after", inbox.after_import)
      .text("after_folder", inbox.after_folder)
      .number("duplicate_minutes", inbox.duplicate_ms / minute_ms)
      .time("since", inbox.since)
      .flag("is_paused", inbox.is_paused)
      .name_of("state", inbox.state)
      .name_of("reason_class", inbox.reason_class)
      .text("reason", inbox.reason)
      .time("state_at", inbox.state_at)
      .number("failures", inbox.failures)
      .flag("can_push", inbox.can_push)
      .raw("lease", lease.done())
      .time("next_poll_at", is_idle && !inbox.is_paused ? inbox.due_at : 0)
      .raw("cursor", Object{}.number("uid_validity", inbox.uid_validity).number("last_uid", inbox.last_uid).done())
      .time("last_caught_up_at", inbox.caught_up_at)
      .number("version", inbox.version)
      .time("created_at", inbox.created_at)
      .time("updated_at", inbox.updated_at)
      .done();
}

std::string inbox_report_json(const InboxReport& report) {
  const auto& inbox = report.inbox;
  const auto if_known = [&](std::int64_t count) { return report.is_known() ? fmt::format("{}", count) : std::string{"null"}; };
  const std::string server = Object{}
                                 .raw("exists", if_known(inbox.server_exists))
                                 .raw("older", if_known(inbox.server_older))
                                 .number("removed", report.removed)
                                 .raw("gone", if_known(report.gone()))
                                 .time("at", inbox.server_at)
                                 .done();
  const std::string arrivals = Object{}
                                   .number("total", report.total())
                                   .number("ticket", report.ticket)
                                   .number("reply", report.reply)
                                   .number("duplicate", report.duplicate)
                                   .number("bounce", report.bounce)
                                   .number("own", report.own)
                                   .number("standby", report.standby)
                                   .number("deleted", report.deleted)
                                   .number("pending", report.pending)
                                   .done();
  return Object{}
      .text("inbox_id", inbox.id)
      .text("name", inbox.name)
      .number("uid_validity", inbox.uid_validity)
      .raw("server", server)
      .raw("arrivals", arrivals)
      .raw("missing", if_known(report.missing()))
      .text("missing_is", std::string_view{!report.is_known() ? "unknown" : report.gone() > 0 ? "at_least" : "exact"})
      .time("caught_up_at", inbox.caught_up_at)
      .done();
}

std::string settings_json(const SettingsRow& settings) {
  return Object{}
      .text("default_board_id", settings.default_board_id)
      .text("smtp_connection_id", settings.smtp_connection_id)
      .text("sender_address", settings.sender_address)
      .text("sender_name", settings.sender_name)
      .flag("is_confirming", settings.is_confirming)
      .flag("is_telling_states", settings.is_telling_states)
      .number("version", settings.version)
      .time("updated_at", settings.updated_at)
      .done();
}

std::string comment_json(const CommentRow& comment) {
  Object out;
  out.text("id", comment.id)
      .text("ticket_id", comment.ticket_id)
      .text("arrival_id", comment.arrival_id)
      .text("actor", comment.actor)
      .text("author_email", comment.author_email)
      .text("author_name", comment.author_name)
      .flag("is_public", comment.is_public)
      .text("text", comment.text);
  return text_or_null(out, "full_text", comment.full_text).time("created_at", comment.created_at).done();
}

std::string attachment_json(const AttachmentRow& attachment) {
  Object out;
  out.text("id", attachment.id)
      .text("ticket_id", attachment.ticket_id)
      .text("comment_id", attachment.comment_id)
      .text("arrival_id", attachment.arrival_id)
      .text("name", attachment.name)
      .text("content_type", attachment.content_type);
  return text_or_null(out, "content_id", attachment.content_id)
      .flag("is_inline", attachment.is_inline)
      .number("size", attachment.size)
      .text("sha256", attachment.sha256)
      .text("url", fmt::format("/v1/attachments/{}", attachment.id))
      .time("created_at", attachment.created_at)
      .done();
}

std::string notice_json(const NoticeView& notice) {
  const auto& delivery = notice.delivery;
  return Object{}
      .text("id", delivery.id)
      .text("kind", notice_kind(delivery.cause))
      .text("cause", delivery.cause)
      .text("connection_id", delivery.destination_id)
      .text("recipient", delivery.recipient)
      .name_of("state", delivery.state)
      .number("attempts", delivery.attempts)
      .flag("maybe_sent", delivery.maybe_sent)
      .name_of("reason_class", delivery.reason_class)
      .text("reason", delivery.reason)
      .text("message_id", notice.message_id)
      .text("standby_id", delivery.standby_id)
      .time("due_at", delivery.due_at)
      .time("at", delivery.created_at)
      .time("finished_at", delivery.finished_at)
      .done();
}

std::string mail_json(const MailRow& mail) {
  Object out;
  out.text("arrival_id", mail.arrival_id).text("verdict", verdict_of(mail)).text("why", mail.why);
  add_facts(out, mail);
  return out.done();
}

std::string arrival_json(const ArrivalView& view) {
  const auto& arrival = view.arrival;
  Object out;
  out.text("id", arrival.id)
      .text("kind", arrival.kind)
      .name_of("state", arrival.state)
      .text("actor", arrival.actor)
      .text("board_id", arrival.board_id)
      .text("promised_ticket_id", arrival.ticket_id)
      .text("standby_id", arrival.standby_id)
      .time("accepted_at", arrival.accepted_at)
      .time("decided_at", arrival.decided_at);
  if (!view.mail) return out.text("ticket_id", arrival.state == ArrivalState::opened ? std::optional{arrival.ticket_id} : std::nullopt).done();
  const auto& mail = *view.mail;
  out.text("verdict", verdict_of(mail))
      .text("why", mail.why)
      .text("ticket_id", mail.ticket_id)
      .text("comment_id", mail.comment_id)
      .text("duplicate_of", mail.duplicate_of);
  add_facts(out, mail);
  return out.done();
}

}  // namespace postroom::store
