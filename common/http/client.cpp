#include "common/http/client.hpp"

#include <fstream>
#include <map>
#include <vector>

#include "common/base/text.hpp"
#include "common/http/address.hpp"
#include "common/http/curl_loop.hpp"
#include "common/http/transfer.hpp"

namespace postroom::http {

namespace {

class CurlClient final : public Http {
 public:
  CurlClient(loop::Loop& loop, const Clock& clock, TransferRules rules);
  ~CurlClient() override;

  ExchangeId send(Request request, std::function<void(Reply)> done) override;
  bool has_left(ExchangeId id) const override;
  void cancel(ExchangeId id) override;

 private:
  struct Running {
    std::unique_ptr<Transfer> transfer;
    std::function<void(Reply)> done;
  };

  void answer_later(std::function<void(Reply)> done, Reply reply);
  void finish(const std::vector<CurlLoop::Ended>& ended);

  loop::Loop& loop_;
  const Clock& clock_;
  TransferRules rules_;
  CurlLoop curl_;
  std::map<ExchangeId, Running> running_;
  ExchangeId last_id_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers that were posted to the loop outlive us
};

CurlClient::CurlClient(loop::Loop& loop, const Clock& clock, TransferRules rules)
    : loop_(loop), clock_(clock), rules_(std::move(rules)), curl_(loop, [this](std::vector<CurlLoop::Ended> ended) { finish(ended); }) {
  curl_multi_setopt(curl_.handle(), CURLMOPT_MAXCONNECTS, 8L);  // idle ones kept for reads
}

CurlClient::~CurlClient() {
  *alive_ = false;
  for (auto& [id, running] : running_) curl_.remove(running.transfer->handle());
}

void CurlClient::answer_later(std::function<void(Reply)> done, Reply reply) {
  reply.received_at = clock_.wall();
  loop_.post([alive = alive_, done = std::move(done), reply = std::move(reply)]() mutable {
    if (*alive) done(std::move(reply));
  });
}

ExchangeId CurlClient::send(Request request, std::function<void(Reply)> done) {
  const ExchangeId id = ++last_id_;
  if (const auto accepted = check(request); !accepted) {
    Reply reply;
    reply.failure = Failure::refused_request;
    reply.detail = accepted.error().text();
    answer_later(std::move(done), std::move(reply));
    return id;
  }
  auto transfer = std::make_unique<Transfer>(std::move(request), rules_, clock_);
  if (transfer->is_too_late()) {
    answer_later(std::move(done), transfer->reply_without_sending(Failure::too_late));
    return id;
  }
  CURL* handle = transfer->handle();
  running_.emplace(id, Running{std::move(transfer), std::move(done)});
  curl_.add(handle, id);
  return id;
}

bool CurlClient::has_left(ExchangeId id) const {
  const auto found = running_.find(id);
  return found != running_.end() && found->second.transfer->has_left();
}

void CurlClient::cancel(ExchangeId id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  Running ended = std::move(found->second);
  running_.erase(found);
  curl_.remove(ended.transfer->handle());
  answer_later(std::move(ended.done), ended.transfer->reply_without_sending(Failure::cancelled));
}

void CurlClient::finish(const std::vector<CurlLoop::Ended>& ended) {
  std::vector<std::pair<std::function<void(Reply)>, Reply>> answers;
  for (const auto& [id, code] : ended) {
    const auto found = running_.find(id);
    if (found == running_.end()) continue;
    Running one = std::move(found->second);
    running_.erase(found);
    curl_.remove(one.transfer->handle());
    answers.emplace_back(std::move(one.done), one.transfer->finish(code));
  }
  // A callback may send the next request, or destroy the client.
  const auto alive = alive_;
  for (auto& [done, reply] : answers) {
    if (!*alive) return;
    reply.received_at = clock_.wall();
    done(std::move(reply));
  }
}

bool is_readable(const std::string& path) { return static_cast<bool>(std::ifstream{path}); }

}  // namespace

Result<std::unique_ptr<Http>> make_client(loop::Loop& loop, const Clock& clock, ClientSettings settings) {
  auto guard = AddressGuard::allowing(settings.allow);
  if (!guard) return guard.error();
  if (!settings.ca_file.empty() && !is_readable(settings.ca_file)) {
    return Error{Code::bad_message, "the file of trusted certificates cannot be read: " + settings.ca_file, "outbound.ca_file"};
  }
  if (!curl_is_ready()) return Error{Code::io, "libcurl cannot be initialised"};
  TransferRules rules{std::move(*guard), std::move(settings.ca_file), std::move(settings.user_agent)};
  return std::unique_ptr<Http>{std::make_unique<CurlClient>(loop, clock, std::move(rules))};
}

}  // namespace postroom::http
