#include "api/handlers/command_plan.hpp"

namespace postroom::api {

namespace {

// Bytes that are named are kept: a mail without them could never be read or downloaded. What is no reference at all the ledger refuses.
void check_blob(const Json& ref, std::string pointer, const Context& context, std::vector<Flaw>& flaws) {
  const auto size = ref["size"].integer();
  if (!ref.is_object() || !size || !context.has_blob || context.has_blob(ref["sha256"].string(), *size)) return;
  flaws.push_back(in_body(std::move(pointer), "names bytes that are not in the blob store"));
}

// Wherever a message names some: mail.arrived and mail.parse, mail.parsed.
std::vector<Flaw> missing_blobs(const Json& body, const Context& context) {
  std::vector<Flaw> flaws;
  check_blob(body["blob"], "/body/blob", context, flaws);
  const Json attachments = body["mail"]["attachments"];
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    check_blob(attachments.at(i)["blob"], fmt::format("/body/mail/attachments/{}/blob", i), context, flaws);
  }
  return flaws;
}

}  // namespace

Plan edit_standby(const Request& request, const Context& context) {
  if (auto flaws = missing_blobs(request.body["body"], context); !flaws.empty()) {
    return to_reply(Problem{.status = 422,
                            .slug = "invalid",
                            .title = "Not acceptable",
                            .detail = "the message names bytes that are not kept here: take those of the original, or of another mail",
                            .instance = request.path,
                            .errors = std::move(flaws)});
  }
  return exchange(request, context,
                  messages::StandbyEdit{.standby_id = std::string{request.id},
                                        .actor = actor_of(request),
                                        .expected_version = request.expected_version,
                                        .new_id = made_by(request.command_id, "copy"),
                                        .body = {request.body["body"].dump()}});
}

}  // namespace postroom::api
