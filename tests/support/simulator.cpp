#include "tests/support/simulator.hpp"

#include <stdexcept>

namespace postroom::support {

Simulator::Simulator(std::string name)
    : process_({"python3", std::string{POSTROOM_SOURCE_DIR "/tests/sims/"} + name + ".py", "--port", "0"}, Child::Ending::terminate) {
  signal(SIGPIPE, SIG_IGN);
  const std::string said = process_.read_line();
  const std::string expected = "listening on ";
  if (!said.starts_with(expected)) throw std::runtime_error("the simulator did not start: " + said);
  base_url_ = "http://127.0.0.1:" + said.substr(expected.size());
  auto made = http::make_client(loop_, clock_, {.allow = {"127.0.0.0/8"}});
  if (!made) throw std::runtime_error(made.error().text());
  http_ = std::move(*made);
}

http::Reply Simulator::fetch(http::Request request) {
  http::Reply answer;
  http_->send(std::move(request), [&](http::Reply reply) {
    answer = std::move(reply);
    loop_.stop();
  });
  loop_.run();
  return answer;
}

http::Reply Simulator::control(std::string method, std::string_view name, std::string body) {
  auto reply = fetch({.method = std::move(method), .url = base_url_ + "/_sim/" + std::string{name}, .body = std::move(body)});
  if (reply.status != 200) throw std::runtime_error("the simulator refused " + std::string{name} + ": " + reply.body);
  return reply;
}

codec::JsonView Simulator::objects() {
  const auto parsed = codec::JsonView::parse(control("GET", "objects?full=1").body);
  if (!parsed) throw std::runtime_error(parsed.error().text());
  return (*parsed)["objects"];
}

worker::Step Simulator::perform(worker::Talk<worker::Step> talk, std::chrono::milliseconds timeout) {
  worker::Step step = talk.begin();
  while (auto* ask = std::get_if<worker::Ask>(&step)) {
    if (auto* asked = std::get_if<worker::HttpAsk>(ask)) {
      asked->request.timeout = timeout;
      asked->request.is_repeatable = !asked->has_effect;
      step = talk.next(fetch(std::move(asked->request)));
    } else {
      ++commits;
      step = talk.next(worker::Committed{});
    }
  }
  return step;
}

worker::TestStep Simulator::perform(worker::Talk<worker::TestStep> talk) {
  worker::TestStep step = talk.begin();
  while (auto* ask = std::get_if<worker::Ask>(&step)) step = talk.next(fetch(std::move(std::get<worker::HttpAsk>(*ask).request)));
  return step;
}

}  // namespace postroom::support
