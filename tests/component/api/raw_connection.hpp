#pragma once
// A caller with bare hands: bytes out, answers in. What curl or Beast would never send, this sends.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace postroom::support {

struct RawReply {
  int status = 0;  // 0: the connection ended or nothing came in time
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port);  // to 127.0.0.1; throws std::runtime_error
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void send(std::string_view bytes);  // what the peer no longer takes is dropped
  RawReply read_reply(std::chrono::milliseconds longest = std::chrono::seconds{60}, bool has_body = true);
  bool is_closed(std::chrono::milliseconds longest = std::chrono::seconds{60});  // the peer closed or reset, and sent nothing more

 private:
  bool fill(std::chrono::steady_clock::time_point deadline);
  int socket_ = -1;
  std::string in_;
};

// One request over a connection of its own.
struct Ask {
  std::string method = "GET";
  std::string path;
  std::string body = {};
  std::string token = {};
  std::string fields = {};  // further header lines, each with CRLF
};
RawReply ask(std::uint16_t port, const Ask& what, std::chrono::milliseconds longest = std::chrono::seconds{60});

}  // namespace postroom::support
