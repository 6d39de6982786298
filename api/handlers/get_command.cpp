#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_command(const Request& request, const Context& context) {
  const auto command = context.reading->command(request.id);
  if (!command) return reading_failed(command.error(), request);
  if (!*command) return not_applied_yet(request.path);
  return data_reply(store::command_json(**command));
}

}  // namespace postroom::api
