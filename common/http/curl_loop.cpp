#include "common/http/curl_loop.hpp"

namespace postroom::http {

// One descriptor that curl wants watched. It deletes itself when its handle has closed.
struct SocketWatch {
  uv_poll_t handle{};
  CurlLoop* owner = nullptr;
  curl_socket_t socket = CURL_SOCKET_BAD;

  void close() {
    uv_poll_stop(&handle);
    uv_close(reinterpret_cast<uv_handle_t*>(&handle),
             [](uv_handle_t* closed) { delete static_cast<SocketWatch*>(closed->data); });
  }
  void ready(int status, int events) {
    int seen = status < 0 ? CURL_CSELECT_ERR : 0;
    if ((events & UV_READABLE) != 0) seen |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0) seen |= CURL_CSELECT_OUT;
    owner->act(socket, seen);
  }
};

CurlLoop::CurlLoop(loop::Loop& loop, std::function<void(std::vector<Ended>)> ended)
    : loop_(loop), ended_(std::move(ended)), multi_(curl_multi_init()), timer_(new uv_timer_t{}) {
  uv_timer_init(static_cast<uv_loop_t*>(loop_.handle()), timer_);
  timer_->data = this;
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, +[](CURL*, curl_socket_t socket, int what, void* self, void* known) {
    return static_cast<CurlLoop*>(self)->watch(socket, what, static_cast<SocketWatch*>(known));
  });
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, +[](CURLM*, long delay_ms, void* self) {
    static_cast<CurlLoop*>(self)->set_timer(delay_ms);
    return 0;
  });
}

CurlLoop::~CurlLoop() {
  curl_multi_cleanup(multi_);
  uv_timer_stop(timer_);
  uv_close(reinterpret_cast<uv_handle_t*>(timer_), [](uv_handle_t* closed) { delete reinterpret_cast<uv_timer_t*>(closed); });
}

void CurlLoop::add(CURL* easy, std::uint64_t tag) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, reinterpret_cast<char*>(tag));
  curl_multi_add_handle(multi_, easy);
}

int CurlLoop::watch(curl_socket_t socket, int what, SocketWatch* known) {
  if (what == CURL_POLL_REMOVE) {
    if (known != nullptr) known->close();
    curl_multi_assign(multi_, socket, nullptr);
    return 0;
  }
  if (known == nullptr) {
    auto fresh = std::make_unique<SocketWatch>();
    fresh->owner = this;
    fresh->socket = socket;
    if (uv_poll_init_socket(static_cast<uv_loop_t*>(loop_.handle()), &fresh->handle, socket) != 0) return -1;
    known = fresh.release();
    known->handle.data = known;
    curl_multi_assign(multi_, socket, known);
  }
  const int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) | ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
  uv_poll_start(&known->handle, events,
                [](uv_poll_t* handle, int status, int seen) { static_cast<SocketWatch*>(handle->data)->ready(status, seen); });
  return 0;
}

void CurlLoop::set_timer(long delay_ms) {
  if (delay_ms < 0) {
    uv_timer_stop(timer_);
    return;
  }
  uv_update_time(static_cast<uv_loop_t*>(loop_.handle()));
  // Never from inside this callback: curl must not be entered again. Zero therefore means the loop's next round.
  uv_timer_start(timer_, [](uv_timer_t* handle) { static_cast<CurlLoop*>(handle->data)->act(CURL_SOCKET_TIMEOUT, 0); },
                 static_cast<std::uint64_t>(delay_ms), 0);
}

void CurlLoop::act(curl_socket_t socket, int events) {
  int still_running = 0;
  curl_multi_socket_action(multi_, socket, events, &still_running);
  tell_ended();
}

void CurlLoop::tell_ended() {
  std::vector<Ended> ended;
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* tag = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &tag);
    ended.push_back({reinterpret_cast<std::uint64_t>(tag), message->data.result});
  }
  if (ended.empty()) return;
  const auto tell = ended_;  // From here on curl is at rest, and we may be gone.
  tell(std::move(ended));
}

bool curl_is_ready() {
  static const bool is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return is_ready;
}

}  // namespace postroom::http
