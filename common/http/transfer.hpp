#pragma once
// Private to common/http: one curl handle with every guard set, and what came of it.

#include <curl/curl.h>

#include <memory>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/http/address.hpp"
#include "common/http/exchange.hpp"

namespace postroom::http {

struct TransferRules {
  AddressGuard guard;
  std::string ca_file;
  std::string user_agent;
};

// Before curl sees anything: libcurl 7.88 writes CR and LF of a header or URL to the wire. bad_message says what is wrong.
Result<void> check(const Request& request);

class Transfer {
 public:
  Transfer(Request request, const TransferRules& rules, const Clock& clock);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* handle() { return easy_; }
  bool has_left() const { return has_left_; }
  bool is_too_late() const { return request_.first_byte_by && clock_.steady() > *request_.first_byte_by; }
  Reply finish(CURLcode code);
  Reply reply_without_sending(Failure failure);  // was_sent as far as it got

 private:
  void set_options();
  void set_method_and_body();
  void set_headers();
  curl_socket_t open_socket(const curl_sockaddr& where);
  std::size_t take_header(std::string_view line);
  std::size_t take_body(std::string_view bytes);
  Failure classify(CURLcode code) const;

  Request request_;
  const TransferRules& rules_;
  const Clock& clock_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  SteadyTime started_;
  Reply reply_;
  bool has_left_ = false;      // the connection stood and curl was allowed to write
  bool missed_deadline_ = false;
  bool is_too_large_ = false;
  bool saw_open_address_ = false;
  std::string blocked_address_;
  std::size_t head_bytes_ = 0;
  char problem_[CURL_ERROR_SIZE] = {};
};

}  // namespace postroom::http
