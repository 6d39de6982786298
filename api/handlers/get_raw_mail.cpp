#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_raw_mail(const Request& request, const Context& context) {
  const auto arrival = context.reading->arrival(request.id);
  if (!arrival) return reading_failed(arrival.error(), request);
  if (!*arrival) return not_applied_yet(request.path);
  const auto& mail = (*arrival)->mail;
  if (!mail) return not_found(request.path, "this arrival is no mail");
  if (mail->blob_sha256.empty()) return not_found(request.path, "nothing of this mail could be fetched: " + mail->trouble);
  const bool is_whole = mail->extent == messages::MailExtent::whole;
  return Download{.sha256 = mail->blob_sha256,
                  .size = mail->blob_size,
                  .media_type = "message/rfc822",
                  .file_name = fmt::format("mail-{}{}.eml", mail->arrival_id, is_whole ? "" : "-header")};
}

}  // namespace postroom::api
