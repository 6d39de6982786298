#pragma once
// One SMTP transaction (RFC 5321), without I/O. Until the login libcurl speaks and this listens; from begin() on this speaks: bytes in, bytes out.
// The mail is held back before its final dot until go_on(). Bounded in what it reads.

#include <string>
#include <string_view>
#include <vector>

#include "common/smtp/exchange.hpp"

namespace postroom::smtp {

class Dialogue {
 public:
  explicit Dialogue(const Request& request);

  // --- listening ---
  void overheard(std::string_view command);  // only its verb is looked at: it may hold a password
  bool heard(std::string_view line);         // one line of an answer; false: more than any server needs to say

  // --- speaking ---
  void begin();
  void take(std::string_view bytes);                  // from the server
  std::string_view outgoing() const { return std::string_view{out_}.substr(written_); }
  void written(std::size_t count);                    // that many of them are with the system
  bool is_held() const { return stage_ == Stage::held && !is_over_; }
  void go_on();                                       // only while it is held
  bool is_over() const { return is_over_; }
  Failure failure() const { return failure_; }        // when it is over
  std::string_view detail() const { return detail_; }  // of that failure, where the server's words do not tell

  // --- how it stands ---
  Stage stage() const { return stage_; }
  int code() const { return code_; }  // of the last whole answer, to what was said last
  const std::string& text() const { return text_; }
  bool is_no() const { return code_ >= 400; }
  bool offers_starttls() const { return offers_starttls_; }
  bool offers_login() const { return offers_login_; }
  bool has_begun_tls() const { return has_begun_tls_; }
  bool has_logged_in() const { return has_logged_in_; }
  const std::vector<Verdict>& recipients() const { return recipients_; }

 private:
  void note_offer(std::string_view line);
  void answered();
  void say(Stage stage, std::string command);
  void say_sender();
  void say_next_recipient();
  void send_content();
  void end(Failure failure, std::string_view detail = {});

  std::string sender_;
  std::string content_;
  std::vector<Verdict> recipients_;
  std::size_t next_recipient_ = 0;
  bool is_speaking_ = false;
  Stage stage_ = Stage::connecting;
  bool is_over_ = false;
  Failure failure_ = Failure::none;
  std::string_view detail_;

  std::string out_;
  std::size_t written_ = 0;

  std::string line_;   // the beginning of one
  std::string words_;  // of the answer that is coming in
  std::size_t byte_count_ = 0;
  int code_ = 0;
  std::string text_;

  bool offers_starttls_ = false;
  bool offers_login_ = false;
  bool offers_size_ = false;
  bool offers_utf8_ = false;
  bool offers_8bit_ = false;
  bool has_begun_tls_ = false;
  bool has_logged_in_ = false;
};

}  // namespace postroom::smtp
