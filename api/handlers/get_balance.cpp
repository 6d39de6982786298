#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

Plan get_balance(const Request& request, const Context& context) {
  const auto balance = context.reading->balance();
  if (!balance) return reading_failed(balance.error(), request);
  return data_reply(store::balance_json(*balance));
}

}  // namespace postroom::api
