#include <fmt/format.h>

#include <algorithm>

#include "api/cli/commands.hpp"
#include "api/cli/table.hpp"

namespace postroom::cli {

namespace {

std::string count(api::Json value) { return std::to_string(value.integer().value_or(0)); }

std::string rate(api::Json queue, std::string_view what) {
  const auto per_second = queue["message_stats"][std::string{what} + "_details"]["rate"].number();
  return per_second ? fmt::format("{:.1f}/s", *per_second) : "-";
}

}  // namespace

int run_queues(const Frame& frame) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const auto answer = client->ask_broker("/api/queues/" + percent_encoded(client->config().broker.vhost));
  return tell(frame, answer, [&] {
    Table table{{"QUEUE", "READY", "UNACKED", "CONSUMERS", "IN", "OUT", "STATE"}};
    const auto queues = answer.document.root();
    for (std::size_t n = 0; n < queues.size(); ++n) {
      const auto queue = queues.at(n);
      table.add({std::string{queue["name"].string()}, count(queue["messages_ready"]), count(queue["messages_unacknowledged"]), count(queue["consumers"]),
                 rate(queue, "publish"), rate(queue, "deliver_get"), std::string{queue["state"].string()}});
    }
    table.print();
  });
}

}  // namespace postroom::cli
