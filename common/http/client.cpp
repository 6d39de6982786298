#include "common/http/client.hpp"

#include <curl/curl.h>
#include <uv.h>

#include <fstream>
#include <map>
#include <vector>

#include "common/base/text.hpp"
#include "common/http/address.hpp"
#include "common/http/transfer.hpp"

namespace postroom::http {

namespace {

// One descriptor that curl wants watched. It deletes itself when its handle has closed.
struct SocketWatch {
  uv_poll_t handle{};
  class CurlClient* client = nullptr;
  curl_socket_t socket = CURL_SOCKET_BAD;

  void close() {
    uv_poll_stop(&handle);
    uv_close(reinterpret_cast<uv_handle_t*>(&handle),
             [](uv_handle_t* closed) { delete static_cast<SocketWatch*>(closed->data); });
  }
};

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
  void act(curl_socket_t socket, int events);
  void finish_completed();
  int watch(curl_socket_t socket, int what, SocketWatch* known);
  void set_timer(long delay_ms);
  void socket_ready(SocketWatch& watched, int status, int events);

  loop::Loop& loop_;
  const Clock& clock_;
  TransferRules rules_;
  CURLM* multi_;
  uv_timer_t* timer_;
  std::map<ExchangeId, Running> running_;
  ExchangeId last_id_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers that were posted to the loop outlive us
};

CurlClient::CurlClient(loop::Loop& loop, const Clock& clock, TransferRules rules)
    : loop_(loop), clock_(clock), rules_(std::move(rules)), multi_(curl_multi_init()), timer_(new uv_timer_t{}) {
  uv_timer_init(static_cast<uv_loop_t*>(loop_.handle()), timer_);
  timer_->data = this;
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, +[](CURL*, curl_socket_t socket, int what, void* self, void* known) {
    return static_cast<CurlClient*>(self)->watch(socket, what, static_cast<SocketWatch*>(known));
  });
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, +[](CURLM*, long delay_ms, void* self) {
    static_cast<CurlClient*>(self)->set_timer(delay_ms);
    return 0;
  });
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 8L);  // idle ones kept for reads
}

CurlClient::~CurlClient() {
  *alive_ = false;
  for (auto& [id, running] : running_) curl_multi_remove_handle(multi_, running.transfer->handle());
  running_.clear();
  curl_multi_cleanup(multi_);
  uv_timer_stop(timer_);
  uv_close(reinterpret_cast<uv_handle_t*>(timer_), [](uv_handle_t* closed) { delete reinterpret_cast<uv_timer_t*>(closed); });
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
  curl_easy_setopt(transfer->handle(), CURLOPT_PRIVATE, reinterpret_cast<char*>(id));
  CURL* handle = transfer->handle();
  running_.emplace(id, Running{std::move(transfer), std::move(done)});
  curl_multi_add_handle(multi_, handle);
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
  curl_multi_remove_handle(multi_, ended.transfer->handle());
  answer_later(std::move(ended.done), ended.transfer->reply_without_sending(Failure::cancelled));
}

int CurlClient::watch(curl_socket_t socket, int what, SocketWatch* known) {
  if (what == CURL_POLL_REMOVE) {
    if (known != nullptr) known->close();
    curl_multi_assign(multi_, socket, nullptr);
    return 0;
  }
  if (known == nullptr) {
    auto fresh = std::make_unique<SocketWatch>();
    fresh->client = this;
    fresh->socket = socket;
    if (uv_poll_init_socket(static_cast<uv_loop_t*>(loop_.handle()), &fresh->handle, socket) != 0) return -1;
    known = fresh.release();
    known->handle.data = known;
    curl_multi_assign(multi_, socket, known);
  }
  const int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) | ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
  uv_poll_start(&known->handle, events, [](uv_poll_t* handle, int status, int ready) {
    auto* watched = static_cast<SocketWatch*>(handle->data);
    watched->client->socket_ready(*watched, status, ready);
  });
  return 0;
}

void CurlClient::socket_ready(SocketWatch& watched, int status, int events) {
  int ready = status < 0 ? CURL_CSELECT_ERR : 0;
  if ((events & UV_READABLE) != 0) ready |= CURL_CSELECT_IN;
  if ((events & UV_WRITABLE) != 0) ready |= CURL_CSELECT_OUT;
  act(watched.socket, ready);
}

void CurlClient::set_timer(long delay_ms) {
  if (delay_ms < 0) {
    uv_timer_stop(timer_);
    return;
  }
  uv_update_time(static_cast<uv_loop_t*>(loop_.handle()));
  // Never from inside this callback: curl must not be entered again. Zero therefore means the loop's next round.
  uv_timer_start(timer_, [](uv_timer_t* handle) { static_cast<CurlClient*>(handle->data)->act(CURL_SOCKET_TIMEOUT, 0); },
                 static_cast<std::uint64_t>(delay_ms), 0);
}

void CurlClient::act(curl_socket_t socket, int events) {
  int still_running = 0;
  curl_multi_socket_action(multi_, socket, events, &still_running);
  finish_completed();
}

void CurlClient::finish_completed() {
  std::vector<std::pair<std::function<void(Reply)>, Reply>> answers;
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    CURL* handle = message->easy_handle;
    char* tag = nullptr;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &tag);
    curl_multi_remove_handle(multi_, handle);
    const auto found = running_.find(reinterpret_cast<ExchangeId>(tag));
    Running ended = std::move(found->second);
    running_.erase(found);
    answers.emplace_back(std::move(ended.done), ended.transfer->finish(code));
  }
  // From here on curl is at rest: a callback may send the next request, or destroy the client.
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
  static const bool is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!is_ready) return Error{Code::io, "libcurl cannot be initialised"};
  TransferRules rules{std::move(*guard), std::move(settings.ca_file), std::move(settings.user_agent)};
  return std::unique_ptr<Http>{std::make_unique<CurlClient>(loop, clock, std::move(rules))};
}

}  // namespace postroom::http
