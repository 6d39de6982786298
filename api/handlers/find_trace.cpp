#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan find_trace(const Request& request, const Context& context) {
  Parameters parameters{request};
  auto message_id = parameters.text("message_id");
  if (!message_id) parameters.complain("message_id", "is missing: the Message-ID of a mail, with or without angle brackets");
  if (auto refusal = parameters.refusal()) return std::move(*refusal);
  std::string_view bare = *message_id;
  if (bare.starts_with('<') && bare.ends_with('>')) bare = bare.substr(1, bare.size() - 2);
  const auto trace = context.reading->trace_message(bare);
  if (!trace) return reading_failed(trace.error(), request);
  if (!*trace) return not_applied_yet(request.path);
  return data_reply(store::trace_json(**trace));
}

}  // namespace postroom::api
