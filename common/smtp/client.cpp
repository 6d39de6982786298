#include "common/smtp/client.hpp"

#include <fstream>
#include <map>
#include <vector>

#include "common/http/curl_loop.hpp"
#include "common/smtp/check.hpp"
#include "common/smtp/session.hpp"
#include "common/smtp/watch.hpp"

namespace postroom::smtp {

namespace {

using http::CurlLoop;

class CurlClient final : public Smtp {
 public:
  CurlClient(loop::Loop& loop, const Clock& clock, SessionRules rules)
      : loop_(loop), clock_(clock), rules_(std::move(rules)), curl_(loop, [this](std::vector<CurlLoop::Ended> ended) { connected(ended); }) {}
  ~CurlClient() override;

  ExchangeId send(Request request, std::function<void()> held, std::function<void(Reply)> done) override;
  void go_on(ExchangeId id, SteadyTime by) override;
  bool may_have_arrived(ExchangeId id) const override;
  void cancel(ExchangeId id) override { end_now(id, Failure::cancelled); }

 private:
  struct Running {
    std::unique_ptr<Session> session;
    std::unique_ptr<loop::Timer> limit;
    std::unique_ptr<Watch> watch;
    std::function<void()> held;  // until it was called
    std::function<void(Reply)> done;
  };

  void answer_later(std::function<void(Reply)> done, Reply reply);
  void connected(const std::vector<CurlLoop::Ended>& ended);
  void ready(ExchangeId id);
  void settle(ExchangeId id);
  void end_now(ExchangeId id, Failure failure);
  Reply take_out(std::map<ExchangeId, Running>::iterator running);

  loop::Loop& loop_;
  const Clock& clock_;
  SessionRules rules_;
  CurlLoop curl_;
  std::map<ExchangeId, Running> running_;
  ExchangeId last_id_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // what was posted to the loop outlives us
};

CurlClient::~CurlClient() {
  *alive_ = false;
  while (!running_.empty()) take_out(running_.begin());
}

void CurlClient::answer_later(std::function<void(Reply)> done, Reply reply) {
  loop_.post([alive = alive_, done = std::move(done), reply = std::move(reply)]() mutable {
    if (*alive) done(std::move(reply));
  });
}

ExchangeId CurlClient::send(Request request, std::function<void()> held, std::function<void(Reply)> done) {
  const ExchangeId id = ++last_id_;
  if (const auto accepted = check(request); !accepted) {
    Reply reply;
    reply.failure = Failure::refused_request;
    reply.detail = accepted.error().text();
    answer_later(std::move(done), std::move(reply));
    return id;
  }
  auto server = parse_server(request.url);
  Running& running = running_[id];
  running.session = std::make_unique<Session>(std::move(request), std::move(*server), rules_, clock_);
  running.limit = std::make_unique<loop::Timer>(loop_, [this, id] { end_now(id, Failure::timeout); });
  running.held = std::move(held);
  running.done = std::move(done);
  running.limit->after(running.session->timeout());
  curl_.add(running.session->handle(), id);
  return id;
}

void CurlClient::connected(const std::vector<CurlLoop::Ended>& ended) {
  const auto alive = alive_;
  for (const auto& [id, code] : ended) {
    const auto found = running_.find(id);
    if (found == running_.end()) continue;
    Session& session = *found->second.session;
    session.connected(code);
    if (!session.is_over()) {
      found->second.watch = std::make_unique<Watch>(loop_, session.socket(), [this, tag = id] { ready(tag); });
    }
    settle(id);
    if (!*alive) return;
  }
}

void CurlClient::ready(ExchangeId id) {
  running_.at(id).session->pump();
  settle(id);
}

// The last thing that is done in a round: a callback may send the next mail, or destroy the client.
void CurlClient::settle(ExchangeId id) {
  const auto found = running_.find(id);
  Running& running = found->second;
  if (running.session->is_over()) {
    const auto done = std::move(running.done);
    Reply reply = take_out(found);
    return done(std::move(reply));
  }
  running.watch->want(running.session->wants_to_write());
  if (!running.session->is_held() || !running.held) return;
  const auto held = std::exchange(running.held, nullptr);
  held();
}

void CurlClient::go_on(ExchangeId id, SteadyTime by) {
  const auto found = running_.find(id);
  if (found == running_.end() || !found->second.session->is_held()) return;
  Running& running = found->second;
  running.session->go_on(by);
  if (running.session->is_over()) {
    auto done = std::move(running.done);
    return answer_later(std::move(done), take_out(found));
  }
  running.limit->after(running.session->timeout());
  running.watch->want(running.session->wants_to_write());
}

bool CurlClient::may_have_arrived(ExchangeId id) const {
  const auto found = running_.find(id);
  return found != running_.end() && found->second.session->may_have_arrived();
}

void CurlClient::end_now(ExchangeId id, Failure failure) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  found->second.session->end(failure);
  auto done = std::move(found->second.done);
  answer_later(std::move(done), take_out(found));
}

Reply CurlClient::take_out(std::map<ExchangeId, Running>::iterator running) {
  Running ended = std::move(running->second);
  running_.erase(running);
  ended.watch.reset();  // before curl closes the socket
  curl_.remove(ended.session->handle());
  return ended.session->reply();
}

}  // namespace

Result<std::unique_ptr<Smtp>> make_client(loop::Loop& loop, const Clock& clock, ClientSettings settings) {
  auto guard = http::AddressGuard::allowing(settings.allow);
  if (!guard) return guard.error();
  if (!settings.ca_file.empty() && !std::ifstream{settings.ca_file}) {
    return Error{Code::bad_message, "the file of trusted certificates cannot be read: " + settings.ca_file, "outbound.ca_file"};
  }
  if (!http::curl_is_ready()) return Error{Code::io, "libcurl cannot be initialised"};
  return std::unique_ptr<Smtp>{std::make_unique<CurlClient>(loop, clock, SessionRules{std::move(*guard), std::move(settings.ca_file)})};
}

}  // namespace postroom::smtp
