// The real links: libcurl connects and logs in (CURLOPT_CONNECT_ONLY), then lends its connection.

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <uv.h>

#include <array>
#include <deque>
#include <optional>

#include "common/http/curl_loop.hpp"
#include "common/imap_link/attempt.hpp"
#include "common/imap_link/link.hpp"
#include "common/imap_link/plain_login.hpp"

namespace postroom::imap_link {

namespace {

constexpr std::size_t part_bytes = 64 * 1024;
constexpr std::size_t parts_in_turn = 8;  // then the other links have theirs

// The socket of a connection that is ours. It deletes itself when its handle has closed.
struct Watch {
  uv_poll_t handle{};
  class CurlLink* link = nullptr;
  curl_socket_t socket = CURL_SOCKET_BAD;

  void close() {
    uv_poll_stop(&handle);
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* closed) { delete static_cast<Watch*>(closed->data); });
  }
};

// A multi of its own for each: in a shared one, libcurl 7.88 takes an idle connection that has bytes to read, or is two
// minutes old, for dead as soon as another one is made. The easy handle stays in it, or sends would fail.
class CurlLink final : public Link {
 public:
  CurlLink(loop::Loop& loop, const Rules& rules, Account account, Handlers handlers);
  ~CurlLink() override;
  void send(std::string bytes) override;

 private:
  void begin(Attempt::Security security, Attempt::Login login);
  void end_attempt();
  void attempted(CURLcode code);
  void stand();
  void log_in();
  void take(std::string_view bytes);
  void close(Ending ending);
  void close_broken(CURLcode code);

  void listen();
  void on_socket(int status, int events);
  void receive();
  bool flush();  // false: it broke

  loop::Loop& loop_;
  const Rules& rules_;
  Account account_;
  Place place_;
  Handlers handlers_;
  std::optional<Attempt> attempt_;
  std::optional<http::CurlLoop> curl_;
  loop::Timer deadline_;
  Watch* standing_ = nullptr;  // its socket, once it is ours
  std::optional<PlainLogin> login_;  // under way
  bool is_over_ = false;
  std::deque<std::string> outbox_;  // TLS wants the same bytes at the same place when it could not send them
  std::size_t sent_count_ = 0;      // of the first
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

CurlLink::CurlLink(loop::Loop& loop, const Rules& rules, Account account, Handlers handlers)
    : loop_(loop), rules_(rules), account_(std::move(account)), handlers_(std::move(handlers)),
      deadline_(loop, [this] { close(attempt_->timed_out()); }) {
  // From the loop, so that no handler is called from inside open().
  loop_.post([this, alive = alive_] {
    if (!*alive) return;
    if (const auto accepted = check(account_); !accepted)
      return close({Trouble::refused_account, accepted.error().text(), "", false, false});
    place_ = *parse_base_url(account_.base_url);
    deadline_.after(rules_.settings.login_limit);
    begin(place_.is_tls ? Attempt::Security::tls : Attempt::Security::starttls, Attempt::Login::sasl);
  });
}

CurlLink::~CurlLink() {
  *alive_ = false;
  end_attempt();
}

void CurlLink::begin(Attempt::Security security, Attempt::Login login) {
  attempt_.emplace(account_, place_, security, login, rules_);
  curl_.emplace(loop_, [this](const std::vector<http::CurlLoop::Ended>& ended) { attempted(ended.front().code); });
  curl_->add(attempt_->handle(), 0);
}

void CurlLink::end_attempt() {
  if (standing_ != nullptr) {
    // Otherwise libcurl would say LOGOUT and wait for the answer, with the whole loop.
    ::shutdown(standing_->socket, SHUT_RDWR);
    std::exchange(standing_, nullptr)->close();
  }
  if (!curl_) return;
  curl_->remove(attempt_->handle());
  attempt_.reset();
  curl_.reset();
}

void CurlLink::attempted(CURLcode code) {
  if (code == CURLE_OK) return stand();
  auto security = attempt_->security();
  auto login = attempt_->login();
  if (attempt_->may_do_without_tls(code)) {
    security = Attempt::Security::none;
  } else if (attempt_->may_log_in_by_command(code)) {
    login = Attempt::Login::command;
  } else {
    return close(attempt_->ending(code));
  }
  end_attempt();
  begin(security, login);
}

// --- once it is ours ---

void CurlLink::stand() {
  auto fresh = std::make_unique<Watch>();
  fresh->link = this;
  curl_easy_getinfo(attempt_->handle(), CURLINFO_ACTIVESOCKET, &fresh->socket);
  if (fresh->socket == CURL_SOCKET_BAD ||
      uv_poll_init_socket(static_cast<uv_loop_t*>(loop_.handle()), &fresh->handle, fresh->socket) != 0)
    return close_broken(CURLE_SEND_ERROR);
  standing_ = fresh.release();
  standing_->handle.data = standing_;
  listen();
  loop_.post([this, alive = alive_] {  // TLS may hold bytes of which the socket knows nothing
    if (*alive && !is_over_) receive();
  });
  if (attempt_->login() == Attempt::Login::command) return log_in();
  deadline_.cancel();
  handlers_.ready(attempt_->standing());
}

void CurlLink::log_in() {
  auto login = PlainLogin::with(account_);
  if (!login) return close({Trouble::refused_account, login.error().text(), "", true, attempt_->standing().is_encrypted});
  login_.emplace(std::move(*login));
  send(login_->next_part());
}

void CurlLink::take(std::string_view bytes) {
  if (!login_) return handlers_.bytes(bytes);
  const auto heard = login_->on_bytes(bytes);
  if (heard.wants_part) send(login_->next_part());
  if (!heard.verdict) return;
  if (!heard.is_in) return close(attempt_->refused(*heard.verdict));
  login_.reset();
  deadline_.cancel();
  const auto alive = alive_;
  handlers_.ready(attempt_->standing());
  if (*alive && !is_over_ && !heard.rest.empty()) handlers_.bytes(heard.rest);
}

void CurlLink::listen() {
  const int events = UV_READABLE | (outbox_.empty() ? 0 : UV_WRITABLE);
  uv_poll_start(&standing_->handle, events, [](uv_poll_t* handle, int status, int ready) {
    static_cast<Watch*>(handle->data)->link->on_socket(status, ready);
  });
}

void CurlLink::on_socket(int status, int events) {
  if (status < 0 || (events & UV_WRITABLE) != 0) {
    if (!flush()) return;
    listen();
  }
  if (status < 0 || (events & UV_READABLE) != 0) receive();
}

void CurlLink::send(std::string bytes) {
  if (standing_ == nullptr || is_over_) return;
  if (bytes.empty()) return;
  outbox_.push_back(std::move(bytes));
  if (outbox_.size() > 1) return;
  if (flush() && !outbox_.empty()) listen();
}

// What breaks while sending is told by the next receive, so that no handler is called from inside send().
bool CurlLink::flush() {
  while (!outbox_.empty()) {
    const std::string& bytes = outbox_.front();
    std::size_t count = 0;
    const CURLcode code = curl_easy_send(attempt_->handle(), bytes.data() + sent_count_, bytes.size() - sent_count_, &count);
    if (code == CURLE_AGAIN) return true;
    if (code != CURLE_OK) {
      outbox_.clear();
      loop_.post([this, alive = alive_, code] {
        if (*alive && !is_over_) close_broken(code);
      });
      return false;
    }
    sent_count_ += count;
    if (sent_count_ < bytes.size()) continue;
    outbox_.pop_front();
    sent_count_ = 0;
  }
  return true;
}

// Until nothing is left, since TLS may hold bytes of which the socket knows nothing; in turns, since a fast server never
// leaves nothing.
void CurlLink::receive() {
  const auto alive = alive_;
  std::array<char, part_bytes> part;
  for (std::size_t turn = 0; turn < parts_in_turn; ++turn) {
    std::size_t count = 0;
    const CURLcode code = curl_easy_recv(attempt_->handle(), part.data(), part.size(), &count);
    if (code == CURLE_AGAIN) return;
    if (code != CURLE_OK || count == 0) return close_broken(code);
    take({part.data(), count});
    if (!*alive || is_over_) return;
  }
  loop_.post([this, alive] {
    if (*alive && !is_over_) receive();
  });
}

void CurlLink::close_broken(CURLcode code) {
  Ending ending;
  ending.text = code == CURLE_OK ? fmt::format("{}:{} closed the connection", place_.host, place_.port)
                                 : fmt::format("the connection to {}:{} broke: {}", place_.host, place_.port, curl_easy_strerror(code));
  ending.address = attempt_ ? attempt_->standing().address : "";
  ending.is_reached = true;
  ending.is_secured = attempt_ && attempt_->standing().is_encrypted;
  close(std::move(ending));
}

void CurlLink::close(Ending ending) {
  is_over_ = true;
  deadline_.cancel();
  end_attempt();
  const auto told = handlers_.closed;  // it may destroy us
  told(ending);
}

class CurlLinks final : public Links {
 public:
  CurlLinks(loop::Loop& loop, Rules rules) : loop_(loop), rules_(std::move(rules)) {}
  std::unique_ptr<Link> open(Account account, Handlers handlers) override {
    return std::make_unique<CurlLink>(loop_, rules_, std::move(account), std::move(handlers));
  }

 private:
  loop::Loop& loop_;
  Rules rules_;
};

}  // namespace

Result<std::unique_ptr<Links>> make_links(loop::Loop& loop, Settings settings) {
  auto guard = http::AddressGuard::allowing(settings.allow);
  if (!guard) return guard.error();
  auto certificates = Certificates::load(settings.ca_file);
  if (!certificates) return certificates.error();
  if (!http::curl_is_ready()) return Error{Code::io, "libcurl cannot be initialised"};
  return std::unique_ptr<Links>{std::make_unique<CurlLinks>(loop, Rules{std::move(settings), std::move(*guard), std::move(*certificates)})};
}

}  // namespace postroom::imap_link
