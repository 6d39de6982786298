#pragma once
// Private to curl's homes (common/http and those that build on it): one multi handle whose sockets and timer are watched by a libuv loop.

#include <curl/curl.h>
#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/loop/loop.hpp"

namespace postroom::http {

struct SocketWatch;

class CurlLoop {
 public:
  struct Ended {
    std::uint64_t tag;
    CURLcode code;
  };
  // `ended` gets the transfers that ended, while curl is at rest: it may add and remove handles, or destroy this. Those that ended are still in the
  // multi handle, because a connection that was only opened (CURLOPT_CONNECT_ONLY) lives there.
  CurlLoop(loop::Loop& loop, std::function<void(std::vector<Ended>)> ended);
  ~CurlLoop();  // every handle was removed before
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  CURLM* handle() { return multi_; }
  void add(CURL* easy, std::uint64_t tag);
  void remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }

 private:
  friend struct SocketWatch;
  void act(curl_socket_t socket, int events);
  void tell_ended();
  int watch(curl_socket_t socket, int what, SocketWatch* known);
  void set_timer(long delay_ms);

  loop::Loop& loop_;
  std::function<void(std::vector<Ended>)> ended_;
  CURLM* multi_;
  uv_timer_t* timer_;
};

// Initialises libcurl once for the process; false when it cannot be.
bool curl_is_ready();

}  // namespace postroom::http
