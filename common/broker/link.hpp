#pragma once
// One AMQP connection: dialled with blocking calls on a thread of its own, then read and written without ever waiting. Only for common/broker.
//
// rabbitmq-c 0.11 waits without end in several places (a publish into a full socket, a read before a heartbeat, the body of a delivery).
// So: the dialler's thread may hang, and its socket is shut down from outside; the open link reads single frames with a zero timeout,
// writes its own bytes with MSG_DONTWAIT, and keeps heartbeats itself (the library's are switched off after the handshake).

#include <amqp.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/broker/broker.hpp"

namespace postroom::broker {

// Declares, subscribes … on a fresh connection. Runs on the dialler's thread with blocking calls, each with a deadline.
using SetUp = std::function<Result<void>(amqp_connection_state_t)>;

// What the broker said to an RPC, or what became of it; empty when it went well.
Result<void> succeeded(const amqp_rpc_reply_t& reply, std::string_view doing);

class Link {
 public:
  Link(amqp_connection_state_t connection, std::chrono::milliseconds heartbeat, SteadyTime now);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  int fd() const { return fd_; }
  std::size_t frame_max() const { return frame_max_; }
  std::size_t window() const { return window_; }  // bytes that may be unconfirmed: half of what the socket buffers

  // Hands every frame that is here to `each`, at most `limit`; true when more may be waiting inside (the socket stays quiet about those).
  Result<bool> read(std::size_t limit, const std::function<void(const amqp_frame_t&)>& each);
  void heard(SteadyTime now) { heard_ = now; }  // the socket was readable

  std::string& out() { return out_; }  // frames to be sent
  Result<void> flush(SteadyTime now);  // as much as the socket takes
  bool has_unsent() const { return !out_.empty(); }

  // Sends a heartbeat when one is due; an error when the peer was silent for two.
  Result<void> beat(SteadyTime now);
  SteadyTime next_beat() const;

 private:
  amqp_connection_state_t connection_;
  int fd_;
  std::size_t frame_max_;
  std::size_t window_;
  std::chrono::milliseconds heartbeat_;
  SteadyTime heard_;
  SteadyTime spoke_;
  std::string out_;
  std::size_t sent_ = 0;
};

// One attempt to connect. `finished` is called on the dialler's thread.
class Dial {
 public:
  Dial(Endpoint endpoint, SetUp set_up, std::function<void()> finished);
  ~Dial();  // gives up: shuts the socket down, so that no call can hang
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  bool is_finished() const;
  Result<std::unique_ptr<Link>> take();  // once, when finished
  void give_up();                        // ends soon, with an error

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace postroom::broker
