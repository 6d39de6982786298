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
  // Connections that curl only makes and lends (CURLOPT_CONNECT_ONLY) are lost when their handle leaves the multi handle.
  enum class AtEnd { remove, keep };
  // `ended` gets the transfers that ended, already taken out of the multi handle unless they are kept. It may add and remove others, or
  // destroy this.
  CurlLoop(loop::Loop& loop, std::function<void(std::vector<Ended>)> ended, AtEnd at_end = AtEnd::remove);
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
  AtEnd at_end_;
  CURLM* multi_;
  uv_timer_t* timer_;
};

// Initialises libcurl once for the process; false when it cannot be.
bool curl_is_ready();

}  // namespace postroom::http
