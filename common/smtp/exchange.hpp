#pragma once
// One SMTP transaction as plain values, and the port that performs it in two steps: everything but the final dot, then the caller's word.
// No curl here: conversations and their tests use these structs alone.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"

namespace postroom::smtp {

struct Login {
  std::string user;
  std::string password;
};

struct Request {
  // smtps://host[:465], or smtp://host[:587] with STARTTLS. Without TLS only to an address of the allow list whose server offers none.
  std::string url;
  std::optional<Login> login;           // by AUTH PLAIN or LOGIN; not used where the server offers no login at all
  std::string greeting_name;            // after EHLO
  std::string sender;                   // bare; "" = <>, the null sender
  std::vector<std::string> recipients;  // bare. None: a trial that logs in, names the sender (with none: NOOP) and leaves
  std::string content;                  // lines of at most 998 bytes that end in CR LF; dots are doubled on the way
  std::chrono::milliseconds timeout{120'000};  // until the final dot, and again from there to its answer
};

// How far the dialogue came. What failed, failed there.
enum class Stage { connecting, greeting, hello, starttls, login, sender, recipient, data, content, held, final_dot };
std::string_view name_of(Stage stage);

enum class Failure {
  none,
  refused_request,  // ours: control bytes, a wrong address or URL, a bare line end in the content
  dns,              // the name does not resolve
  connect,          // no connection to any of its addresses
  blocked_address,  // every address is private or reserved and not in the allow list
  no_tls,           // the server offers no STARTTLS
  tls_certificate,  // not trusted, expired, wrong host: `detail` says which
  tls,              // the handshake failed for another reason
  no_login,         // the server offers no login that we speak
  no_utf8,          // an address outside ASCII, and a server that takes none
  rejected,         // the server said no: look at stage, code and text
  too_late,         // the time for the final dot had passed
  timeout,          // look at may_have_arrived
  broken,           // the connection broke; look at may_have_arrived
  protocol,         // not SMTP, or endless
  cancelled,        // by cancel()
};
std::string_view name_of(Failure failure);

// What the server said to one recipient.
struct Verdict {
  std::string recipient;
  int code = 0;  // 0: it was not asked about
  std::string text;
  bool is_accepted() const { return code >= 200 && code < 300; }
};

struct Reply {
  Failure failure = Failure::none;
  Stage stage = Stage::connecting;
  bool may_have_arrived = false;  // false is certain: the final dot did not leave this process
  int code = 0;                   // the server's last answer, 0 = none came
  std::string text;               // its words on one line, without the code; at most 300 bytes
  std::vector<Verdict> recipients;
  bool is_silent = false;         // connected in the clear, and not one line came: so is a port where TLS begins with the first byte
  bool is_encrypted = false;
  bool offers_login = false;
  bool has_logged_in = false;
  std::string remote_address;
  std::string detail;  // of a failure, for a person; contains no secrets
  std::chrono::milliseconds took{0};
};

// The enhanced status code (RFC 3463) that a reply's text begins with, "5.1.1"; empty when there is none.
std::string_view enhanced_status(std::string_view text);

using ExchangeId = std::uint64_t;

// Thread: the owner's, for every method and callback.
class Smtp {
 public:
  virtual ~Smtp() = default;
  // `held`, once, when all but the final dot is with the system and at least one recipient was accepted; from there it waits for go_on() or
  // cancel(). `done`, exactly once, at the end. Neither is called from inside these methods, nor after the port was destroyed. A trial is never
  // held.
  virtual ExchangeId send(Request request, std::function<void()> held, std::function<void(Reply)> done) = 0;
  // The final dot may leave, until `by`; later it does not. No effect on what is not held.
  virtual void go_on(ExchangeId id, SteadyTime by) = 0;
  // Has the final dot possibly left? False for exchanges that ended.
  virtual bool may_have_arrived(ExchangeId id) const = 0;
  // Nothing more leaves. `done` follows with Failure::cancelled; nothing when it has ended.
  virtual void cancel(ExchangeId id) = 0;
};

}  // namespace postroom::smtp
