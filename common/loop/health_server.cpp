#include "common/loop/health_server.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <set>
#include <stdexcept>

#include "common/metrics/metrics.hpp"

namespace postroom::loop {

namespace {

constexpr std::size_t longest_request = 4096;
constexpr std::size_t most_visitors = 16;
constexpr std::uint64_t patience_ms = 2000;

std::string reply(std::string_view status, std::string_view content_type, std::string_view body) {
  return fmt::format("HTTP/1.0 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{}", status,
                     content_type, body.size(), body);
}

}  // namespace

struct HealthServer::Parts {
  struct Visitor;

  uv_loop_t* loop = nullptr;
  std::function<std::string()> health_json;
  std::set<Visitor*> visitors;
  // Separate from Parts, because it lives until libuv has closed it.
  uv_pipe_t* listener = nullptr;

  void welcome();
  std::string answer(std::string_view request) const;
};

// One connection. Deletes itself when both handles are closed.
struct HealthServer::Parts::Visitor {
  explicit Visitor(Parts& owner) : house(&owner) {
    uv_pipe_init(house->loop, &pipe, 0);
    uv_timer_init(house->loop, &timer);
    pipe.data = timer.data = this;
    house->visitors.insert(this);
  }

  void listen() {
    uv_timer_start(&timer, [](uv_timer_t* handle) { static_cast<Visitor*>(handle->data)->leave(); }, patience_ms, 0);
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(&pipe),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) { *buffer = static_cast<Visitor*>(handle->data)->free_space(); },
        [](uv_stream_t* stream, ssize_t count, const uv_buf_t*) { static_cast<Visitor*>(stream->data)->heard(count); });
  }

  uv_buf_t free_space() { return uv_buf_init(request.data() + filled, static_cast<unsigned>(request.size() - filled)); }

  void heard(ssize_t count) {
    if (count == 0) return;
    if (count < 0) return leave();  // also UV_ENOBUFS: the request is too long
    filled += static_cast<std::size_t>(count);
    const std::string_view text{request.data(), filled};
    if (text.find("\r\n\r\n") == std::string_view::npos && text.find("\n\n") == std::string_view::npos) return;
    uv_read_stop(reinterpret_cast<uv_stream_t*>(&pipe));
    answer = house->answer(text);
    uv_buf_t out = uv_buf_init(answer.data(), static_cast<unsigned>(answer.size()));
    writing.data = this;
    const int wrong = uv_write(&writing, reinterpret_cast<uv_stream_t*>(&pipe), &out, 1,
                               [](uv_write_t* done, int) { static_cast<Visitor*>(done->data)->leave(); });
    if (wrong != 0) leave();
  }

  void leave() {
    if (leaving) return;
    leaving = true;
    house->visitors.erase(this);
    uv_close(reinterpret_cast<uv_handle_t*>(&pipe), [](uv_handle_t* handle) { static_cast<Visitor*>(handle->data)->closed(); });
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), [](uv_handle_t* handle) { static_cast<Visitor*>(handle->data)->closed(); });
  }

  void closed() {
    if (--open_handles == 0) delete this;
  }

  Parts* house;
  uv_pipe_t pipe{};
  uv_timer_t timer{};
  uv_write_t writing{};
  std::array<char, longest_request> request{};
  std::size_t filled = 0;
  std::string answer;
  bool leaving = false;
  int open_handles = 2;
};

void HealthServer::Parts::welcome() {
  auto* visitor = new Visitor{*this};
  if (uv_accept(reinterpret_cast<uv_stream_t*>(listener), reinterpret_cast<uv_stream_t*>(&visitor->pipe)) != 0 ||
      visitors.size() > most_visitors) {
    return visitor->leave();
  }
  visitor->listen();
}

std::string HealthServer::Parts::answer(std::string_view request) const {
  const auto line = request.substr(0, request.find_first_of("\r\n"));
  const auto is_for = [&](std::string_view path) {
    const std::string wanted = fmt::format("GET {}", path);
    return line == wanted || line.starts_with(wanted + " HTTP/1.");
  };
  if (is_for("/healthz")) return reply("200 OK", "application/json", health_json());
  if (is_for("/metrics")) {
    return reply("200 OK", "application/openmetrics-text; version=1.0.0; charset=utf-8", metrics::render());
  }
  return reply("404 Not Found", "text/plain", "GET /healthz or GET /metrics\n");
}

HealthServer::HealthServer(Loop& loop, std::string path, std::function<std::string()> health_json) : parts_(std::make_unique<Parts>()) {
  // libuv 1.44 would cut a longer name silently and listen somewhere else.
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    throw std::runtime_error(
        fmt::format("{}: the path of a unix socket must be shorter than {} bytes; choose a shorter POSTROOM_HOME", path,
                    sizeof(sockaddr_un::sun_path)));
  }
  parts_->loop = static_cast<uv_loop_t*>(loop.handle());
  parts_->health_json = std::move(health_json);
  parts_->listener = new uv_pipe_t{};
  auto* listener = parts_->listener;
  uv_pipe_init(parts_->loop, listener, 0);
  listener->data = parts_.get();
  ::unlink(path.c_str());
  const mode_t before = ::umask(0177);
  int wrong = uv_pipe_bind(listener, path.c_str());
  ::umask(before);
  if (wrong == 0) {
    wrong = uv_listen(reinterpret_cast<uv_stream_t*>(listener), 16,
                      [](uv_stream_t* stream, int status) {
                        if (status == 0) static_cast<Parts*>(stream->data)->welcome();
                      });
  }
  if (wrong == 0) return;
  uv_close(reinterpret_cast<uv_handle_t*>(listener), [](uv_handle_t* handle) { delete reinterpret_cast<uv_pipe_t*>(handle); });
  throw std::runtime_error(fmt::format("{}: cannot listen: {}", path, uv_strerror(wrong)));
}

HealthServer::~HealthServer() {
  const auto still_here = parts_->visitors;
  for (auto* visitor : still_here) visitor->leave();
  uv_close(reinterpret_cast<uv_handle_t*>(parts_->listener), [](uv_handle_t* handle) { delete reinterpret_cast<uv_pipe_t*>(handle); });
}

}  // namespace postroom::loop
