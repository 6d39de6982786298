#include "workers/runtime/verdict.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"

namespace postroom::worker {

using http::Failure;
using messages::ReasonClass;

std::string as_words(std::string_view body) {
  // A page is not worth reading: its title says as much.
  const std::string lower = to_lower_ascii(body.substr(0, 4'096));
  if (const auto title = lower.find("<title>"); title != std::string::npos) {
    const auto begin = title + 7;
    return on_one_line(body.substr(begin, lower.find("</title>", begin) - begin).substr(0, 300));
  }
  return std::string{cut_utf8(on_one_line(body.substr(0, 4'096)), 300)};
}

std::string without_final_slash(std::string_view base_url) {
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  return std::string{base_url};
}

std::string transport_words(std::string_view far_side, const http::Reply& reply) {
  switch (reply.failure) {
    case Failure::none: return "";
    case Failure::refused_request: return fmt::format("the connection's address or credentials cannot be used: {}", reply.detail);
    case Failure::dns: return fmt::format("the host name of {} does not resolve; check the connection's address ({})", far_side, reply.detail);
    case Failure::connect: return fmt::format("no connection to {} ({})", far_side, reply.detail);
    case Failure::blocked_address: return reply.detail;
    case Failure::tls_certificate: return fmt::format("{}'s certificate is not trusted: {}", far_side, reply.detail);
    case Failure::tls: return fmt::format("no secure connection to {} ({})", far_side, reply.detail);
    case Failure::too_late: return reply.detail;
    case Failure::timeout: return fmt::format("{} did not answer in time", far_side);
    case Failure::too_large: return fmt::format("{} sent an answer that is too large ({})", far_side, reply.detail);
    case Failure::reset_before_send: return fmt::format("the connection to {} broke before the request left ({})", far_side, reply.detail);
    case Failure::reset_after_send: return fmt::format("the connection to {} broke before the answer was complete ({})", far_side, reply.detail);
    case Failure::protocol: return fmt::format("what answers at {}'s address does not speak HTTP ({})", far_side, reply.detail);
    case Failure::cancelled: return "the request was cancelled";
  }
  return "";
}

namespace {

ReasonClass class_of(Failure failure) {
  switch (failure) {
    case Failure::blocked_address: return ReasonClass::blocked_address;
    case Failure::tls_certificate:
    case Failure::tls: return ReasonClass::certificate;
    case Failure::timeout: return ReasonClass::timeout;
    case Failure::too_large:
    case Failure::protocol: return ReasonClass::protocol;
    case Failure::refused_request: return ReasonClass::invalid_data;
    case Failure::too_late: return ReasonClass::timeout;
    case Failure::cancelled: return ReasonClass::shutdown;
    default: return ReasonClass::unreachable;
  }
}

}  // namespace

std::optional<Step> transport_verdict(std::string_view far_side, const http::Reply& reply, bool has_effect) {
  if (reply.failure == Failure::none) return std::nullopt;
  Reason why{class_of(reply.failure), transport_words(far_side, reply), {}, {}};
  if (reply.status != 0) why.http_status = reply.status;
  if (reply.was_sent && has_effect) return Unknown{std::move(why)};
  if (reply.failure == Failure::refused_request) return Refuse{std::move(why)};
  return Defer{std::move(why)};
}

Step status_verdict(std::string_view far_side, const http::Reply& reply, bool has_effect, std::string_view message,
                    std::optional<std::chrono::milliseconds> after) {
  const int status = reply.status;
  const auto why = [&](ReasonClass reason_class, std::string_view hint = "") {
    return Reason{reason_class, fmt::format("{} answered {}{}{}{}", far_side, status, message.empty() ? "" : ": ", message, hint), status, after};
  };
  if (status == 401 || status == 403) return Refuse{why(ReasonClass::credentials)};
  if (status == 404 || status == 410) return Refuse{why(ReasonClass::not_found)};
  if (status == 409) return Defer{why(ReasonClass::conflict)};
  if (status == 429) return Snooze{why(ReasonClass::rate_limited)};
  if (status == 425) return Defer{why(ReasonClass::server_error)};
  // Everything from here on may have been executed: a gateway's 408, 502 or 504 says nothing of what stands behind it.
  if (status == 408 || status == 449 || status >= 500) {
    if (has_effect) return Unknown{why(ReasonClass::server_error)};
    return Defer{why(ReasonClass::server_error)};
  }
  if (status >= 400) return Refuse{why(ReasonClass::invalid_data)};
  if (has_effect) return Unknown{why(ReasonClass::protocol, ", which is no answer to a create")};
  if (status >= 300) return Refuse{why(ReasonClass::protocol, "; correct the connection's address")};
  return Defer{why(ReasonClass::protocol, ", which is no answer to this question")};
}

ReasonClass reason_class_of(const http::Reply& reply) {
  if (reply.failure != Failure::none) return class_of(reply.failure);
  if (reply.status < 400) return ReasonClass::protocol;  // a good status, and yet not the answer
  const Step step = status_verdict("", reply, false, "");
  if (const auto* defer = std::get_if<Defer>(&step)) return defer->reason_class;
  if (const auto* snooze = std::get_if<Snooze>(&step)) return snooze->reason_class;
  return std::get<Refuse>(step).reason_class;
}

Step not_understood(std::string_view far_side, const http::Reply& reply, bool has_effect) {
  Reason why{ReasonClass::protocol, fmt::format("{} answered {} with something else than expected: {}", far_side, reply.status, as_words(reply.body)),
             reply.status, {}};
  if (has_effect) return Unknown{std::move(why)};
  return Defer{std::move(why)};
}

}  // namespace postroom::worker
