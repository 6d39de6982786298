#include "tests/component/http/fault_server.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <stdexcept>

namespace postroom::http {

FaultServer::FaultServer()
    : process_({"python3", "-W", "ignore", POSTROOM_SOURCE_DIR "/tests/component/http/fault_server.py"}, support::Child::Ending::close_input),
      announced_(process_.read_line()) {
  if (announced_.empty()) throw std::runtime_error("fault_server.py did not start");
}

std::string FaultServer::text(std::string_view member) const {
  const auto at = announced_.find('"' + std::string{member} + "\": ");
  if (at == std::string::npos) throw std::runtime_error("fault_server.py did not announce " + std::string{member});
  const auto begin = announced_.find_first_not_of(" \"", at + member.size() + 3);
  return announced_.substr(begin, announced_.find_first_of("\",}", begin) - begin);
}

std::string FaultServer::url(std::string_view scheme, std::string_view port_name, std::string_view path, std::string_view host) const {
  return std::string{scheme} + "://" + std::string{host} + ":" + text(port_name) + std::string{path};
}

Bench::Bench(ClientSettings settings) {
  signal(SIGPIPE, SIG_IGN);
  auto made = make_client(loop, clock, std::move(settings));
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().text()));
  http = std::move(*made);
}

Reply Bench::fetch(Request request) { return fetch_all({std::move(request)}).front(); }

std::vector<Reply> Bench::fetch_all(std::vector<Request> requests) {
  std::vector<Reply> replies(requests.size());
  std::size_t missing = requests.size();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    http->send(std::move(requests[i]), [&, i](Reply reply) {
      replies[i] = std::move(reply);
      if (--missing == 0) loop.stop();
    });
  }
  loop.run();
  return replies;
}

}  // namespace postroom::http
