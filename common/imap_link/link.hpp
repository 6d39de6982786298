#pragma once
// Connections to IMAP servers, secured and logged in, as a port: bytes out, bytes in, and why it ended. What is spoken over
// them is common/imap's.
//
// Guards of every connection: TLS, at least 1.2, with a certificate that is checked, or STARTTLS; without either only to
// addresses of outbound.allow, and only when the server offers none; every socket's address checked against the private
// ranges; no proxy; control bytes refused before libcurl sees them, which would write them into the session.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/loop/loop.hpp"

namespace postroom::imap_link {

struct Account {
  std::string base_url;  // imaps://host[:993], or imap://host[:143] for STARTTLS; nothing behind it
  std::string user;
  std::string password;
};

// The host and port that a base URL names. bad_message says what is wrong with it.
struct Place {
  bool is_tls = false;  // from the first byte
  std::string host;     // an IPv6 address keeps its brackets
  std::uint16_t port = 0;
};
Result<Place> parse_base_url(std::string_view base_url);

enum class Trouble {
  refused_account,  // ours: no such URL, control bytes, no user
  unreachable,      // the name does not resolve, nobody listens, the connection broke
  blocked_address,  // every address is private or reserved and not in the allow list
  certificate,      // not trusted, expired, for another host
  no_encryption,    // the server offers none, or the handshake failed
  credentials,      // the server refuses user or password
  server,           // it says that it cannot now
  timeout,
  protocol,         // it does not speak IMAP
};
std::string_view name_of(Trouble trouble);

struct Standing {
  std::string address;
  bool is_encrypted = true;
};

struct Ending {
  Trouble trouble = Trouble::unreachable;
  std::string text;          // one sentence for a person; contains no secrets
  std::string address;       // empty: no connection was made
  bool is_reached = false;   // a connection was made
  bool is_secured = false;   // and TLS stood
};

// Called on the loop, never from inside open() or send(), not at all once the link is destroyed. A handler may destroy the
// link.
struct Handlers {
  std::function<void(const Standing&)> ready;     // once: logged in
  std::function<void(std::string_view)> bytes;    // after it
  std::function<void(const Ending&)> closed;      // once: it never stood, or it stands no more
};

class Link {
 public:
  virtual ~Link() = default;  // hangs up at once
  virtual void send(std::string bytes) = 0;  // in order; what was not sent when the connection breaks is lost
};

class Links {
 public:
  virtual ~Links() = default;
  virtual std::unique_ptr<Link> open(Account account, Handlers handlers) = 0;
};

struct Settings {
  std::vector<std::string> allow;  // private address blocks that may be called
  std::string ca_file;             // further trusted certificates, PEM; empty = only the system's
  std::chrono::milliseconds connect_limit{15'000};  // to a connection
  std::chrono::milliseconds login_limit{45'000};    // to the end of the login, the connection included
};

// Errors: a wrong address block, a certificate file that cannot be read. The loop must outlive it, and it its links.
Result<std::unique_ptr<Links>> make_links(loop::Loop& loop, Settings settings);

}  // namespace postroom::imap_link
