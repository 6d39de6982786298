#pragma once
// Private to common/smtp: one connection with every guard set. libcurl looks up, connects, encrypts and logs in (CURLOPT_CONNECT_ONLY); from there
// the dialogue's bytes are carried over curl's socket.

#include <curl/curl.h>

#include "common/base/clock.hpp"
#include "common/http/address.hpp"
#include "common/smtp/check.hpp"
#include "common/smtp/dialogue.hpp"

namespace postroom::smtp {

struct SessionRules {
  http::AddressGuard guard;
  std::string ca_file;
};

class Session {
 public:
  // `rules` and `clock` must outlive it; so must it the presence of its handle in a multi.
  Session(Request request, Server server, const SessionRules& rules, const Clock& clock);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  CURL* handle() { return easy_; }
  std::chrono::milliseconds timeout() const { return request_.timeout; }

  void connected(CURLcode code);  // curl is done: connected and logged in, or not
  curl_socket_t socket() const { return socket_; }  // to watch, once connected
  void pump();  // whenever the socket may be read or written
  bool wants_to_write() const { return !is_over_ && !dialogue_.outgoing().empty(); }

  bool is_held() const { return !is_over_ && dialogue_.is_held(); }
  void go_on(SteadyTime by);  // only while it is held
  bool may_have_arrived() const { return dot_left_; }

  bool is_over() const { return is_over_; }
  void end(Failure failure);  // nothing more leaves
  Reply reply() const;        // when it is over

 private:
  void set_options();
  void set_login();
  void require_tls(bool is_required);
  curl_socket_t open_socket(const curl_sockaddr& where);
  std::size_t take_line(std::string_view line);
  void read_all();
  void write_all();
  Failure classify(CURLcode code) const;
  bool has_foreign_greeting() const;
  bool is_silent() const;
  std::string words() const;

  Request request_;
  Server server_;
  const SessionRules& rules_;
  const Clock& clock_;
  Dialogue dialogue_;
  CURL* easy_;
  std::string url_;
  SteadyTime started_;
  SteadyTime ended_{};
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  bool is_connected_ = false;
  bool dot_left_ = false;
  bool is_over_ = false;
  Failure failure_ = Failure::none;
  bool is_endless_ = false;
  bool saw_unlisted_address_ = false;
  bool saw_open_address_ = false;
  std::string blocked_address_;
  std::string remote_address_;
  char problem_[CURL_ERROR_SIZE] = {};
};

}  // namespace postroom::smtp
