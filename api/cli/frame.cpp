#include "api/cli/frame.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "common/http/simple.hpp"

namespace postroom::cli {

namespace {

// An address that listens everywhere is asked on loopback.
std::string reachable(const std::string& host) {
  if (host == "0.0.0.0" || host.empty()) return "127.0.0.1";
  if (host == "::") return "[::1]";
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string trouble_of(const http::Reply& reply, const api::JsonDocument& document, std::string_view where) {
  if (reply.failure == http::Failure::connect) return fmt::format("nothing answers at {}: is Postroom running? (scripts/run)", where);
  if (reply.status == 0) return fmt::format("{}: {}", where, reply.detail);
  const auto problem = document.root();
  std::string text = fmt::format("{}: {}", problem["title"].text().value_or("refused"), problem["detail"].text().value_or(fmt::format("HTTP {}", reply.status)));
  const auto errors = problem["errors"];
  for (std::size_t n = 0; n < errors.size(); ++n) {
    const auto flaw = errors.at(n);
    const auto place = flaw["pointer"] ? flaw["pointer"] : flaw["parameter"] ? flaw["parameter"] : flaw["header"];
    text += fmt::format("\n  {} {}", place.string(), flaw["detail"].string());
  }
  if (reply.status == 401) text += "\n  set POSTROOM_TOKEN, or run as the user who owns secrets/admin-token";
  return text;
}

Answer answer_from(http::Reply reply, std::string_view where) {
  Answer answer;
  answer.status = reply.failure == http::Failure::none ? reply.status : 0;
  answer.text = std::move(reply.body);
  if (auto document = api::JsonDocument::parse(answer.text)) answer.document = std::move(*document);
  if (!answer.ok()) answer.trouble = trouble_of(reply, answer.document, where);
  return answer;
}

}  // namespace

Result<Client> Client::open(const Frame& frame) {
  auto config = load_config(frame.home);
  if (!config) return config.error();
  Client client{std::move(*config)};
  client.base_url_ = fmt::format("http://{}:{}", reachable(client.config_.api.listen_host), client.config_.api.listen_port);
  if (const char* token = std::getenv("POSTROOM_TOKEN"); token != nullptr && *token != '\0') {
    client.token_ = token;
  } else {
    auto secret = read_secret(client.config_, "admin-token");
    if (!secret) return Error{secret.error().code(), secret.error().what() + " (or set POSTROOM_TOKEN)", secret.error().where()};
    client.token_ = std::move(*secret);
  }
  return client;
}

Answer Client::ask(std::string_view method, std::string_view target, std::string body, std::vector<std::pair<std::string, std::string>> headers,
                   std::chrono::seconds patience) const {
  http::Request request{.method = std::string{method}, .url = base_url_ + std::string{target}, .body = std::move(body), .timeout = patience};
  request.headers.push_back({"Authorization", "Bearer " + token_});
  if (!request.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  for (auto& [name, value] : headers) request.headers.push_back({std::move(name), std::move(value)});
  return answer_from(http::ask(request), base_url_);
}

Answer Client::ask_broker(std::string_view target) const {
  Answer answer;
  if (config_.broker.management_port == 0) {
    answer.trouble = "broker.management_port is 0: this installation has no management API to ask";
    return answer;
  }
  const auto password = read_secret(config_, "broker-operator");
  if (!password) {
    answer.trouble = password.error().text();
    return answer;
  }
  const std::string base = fmt::format("http://{}:{}", reachable(config_.broker.host), config_.broker.management_port);
  const http::Request request{.url = base + std::string{target}, .basic_auth = http::BasicAuth{"operator", *password}, .timeout = std::chrono::seconds{10}};
  answer = answer_from(http::ask(request), base);
  if (answer.status == 401) answer.trouble = fmt::format("{}: the broker does not know secrets/broker-operator", base);
  return answer;
}

int complain(std::string_view what) {
  fmt::print(stderr, "postroom: {}\n", what);
  return failed;
}

int complain(const Answer& answer) { return complain(answer.trouble); }

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace postroom::cli
