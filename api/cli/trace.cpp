#include <fmt/format.h>

#include "api/cli/commands.hpp"
#include "api/cli/table.hpp"
#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace postroom::cli {

namespace {

std::int64_t micros_of(api::Json time) {
  const auto at = from_rfc3339(time.string());
  return at ? to_micros(*at) : 0;
}

// 0.8 ms, 12 ms, 3.4 s, 2 min: since the first byte.
std::string since(std::int64_t start, std::int64_t at) {
  const double ms = static_cast<double>(at - start) / 1000.0;
  if (ms < 10) return fmt::format("+{:.1f} ms", ms);
  if (ms < 1'000) return fmt::format("+{:.0f} ms", ms);
  if (ms < 120'000) return fmt::format("+{:.1f} s", ms / 1'000);
  return fmt::format("+{:.0f} min", ms / 60'000);
}

// {"to": "jira", "attempt": 1} → to=jira attempt=1
std::string flat(api::Json detail) {
  std::string text;
  for (const auto& [name, value] : detail.members()) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value.text().value_or(value.dump()));
  }
  return text;
}

void print_things(api::Json trace) {
  const auto& arrival = trace["arrival"];
  if (arrival.is_object()) fmt::print("arrival   {}  {} by {}: {}\n", arrival["id"].string(), arrival["kind"].string(), arrival["actor"].string(), arrival["state"].string());
  const auto each = [&](std::string_view list, auto&& print) {
    for (std::size_t n = 0; n < trace[list].size(); ++n) print(trace[list].at(n));
  };
  each("tickets", [](api::Json ticket) {
    fmt::print("ticket    {}  #{} {} ({})\n", ticket["id"].string(), ticket["number"].integer().value_or(0), on_one_line(ticket["title"].string()), ticket["state"].string());
  });
  each("mails", [](api::Json mail) {
    fmt::print("mail      {}  {} from {}: {}{}{}\n", mail["arrival_id"].string(), on_one_line(mail["subject"].string()), on_one_line(mail["sender_address"].string()), mail["verdict"].string(),
               mail["why"].string().empty() ? "" : ", ", on_one_line(mail["why"].string()));
  });
  each("deliveries", [](api::Json delivery) {
    const auto recipient = delivery["recipient"].string();
    fmt::print("delivery  {}  {}{}{}{}, {} attempts{}{}\n", delivery["id"].string(), delivery["kind"].string(), recipient.empty() ? ": " : " to ", recipient,
               recipient.empty() ? delivery["state"].string() : fmt::format(": {}", delivery["state"].string()), delivery["attempts"].integer().value_or(0),
               delivery["reason"].string().empty() ? "" : ": ", on_one_line(delivery["reason"].string()));
  });
  each("external_tickets", [](api::Json external) {
    fmt::print("external  {}  {} {} {}\n", external["id"].string(), external["system"].string(), external["key"].string(), external["url"].string());
  });
  each("standby", [](api::Json item) {
    fmt::print("standby   {}  {} ({}): {}\n", item["id"].string(), item["state"].string(), item["reason_class"].string(), on_one_line(item["reason"].string()));
  });
}

// One ticket's life, or that of something that became none.
void print_trace(api::Json trace) {
  fmt::print("correlation {}\n\n", trace["correlation_id"].string());
  print_things(trace);
  const auto history = trace["history"];
  if (history.size() == 0) return;
  const auto accepted = micros_of(trace["arrival"]["accepted_at"]);
  const auto start = accepted != 0 ? accepted : micros_of(history.at(0)["at"]);
  fmt::print("\n");
  Table table{{"TIME", "SINCE", "ACTOR", "ACTION", "DETAIL"}};
  for (std::size_t n = 0; n < history.size(); ++n) {
    const auto entry = history.at(n);
    table.add({std::string{entry["at"].string()}, since(start, micros_of(entry["at"])), std::string{entry["actor"].string()},
               std::string{entry["action"].string()}, flat(entry["detail"])});
  }
  table.print();
}

}  // namespace

int run_trace(const Frame& frame, const std::string& id) {
  const bool is_message = id.find('@') != std::string::npos;
  if (!is_uuid(id) && !is_message) {
    return complain(fmt::format("{} is not an id; give that of a ticket, arrival, command, delivery, standby item or external ticket, or a mail's Message-ID", id));
  }
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const auto answer = client->ask("GET", is_message ? "/v1/trace?message_id=" + percent_encoded(id) : "/v1/trace/" + id);
  return tell(frame, answer, [&] {
    const auto trace = answer.data();
    fmt::print("{} is a{} {}\n", id, trace["asked"].string().starts_with('a') || trace["asked"].string().starts_with('e') ? "n" : "", trace["asked"].string());
    print_trace(trace);
    // Senders use a Message-ID again.
    const auto others = trace["others"];
    for (std::size_t n = 0; n < others.size(); ++n) {
      fmt::print("\n{} of {} under this Message-ID\n", n + 2, others.size() + 1);
      print_trace(others.at(n));
    }
  });
}

}  // namespace postroom::cli
