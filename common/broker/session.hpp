#pragma once
// The I/O thread of a publisher or consumer: dials, reads, writes, keeps heartbeats, reconnects. It sleeps in poll(2) until something is due
// and never waits anywhere else, so it is also the watchdog of the dialler. Only for common/broker.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/broker/backoff.hpp"
#include "common/broker/link.hpp"
#include "common/broker/wakeup.hpp"

namespace postroom::broker {

// What is different between publishing and consuming. All called on the I/O thread; an error drops the link.
class LinkUser {
 public:
  virtual ~LinkUser() = default;
  virtual SetUp set_up() = 0;  // for the next attempt; a value of its own, for another thread
  virtual void opened(Link& link) = 0;
  virtual void closed() = 0;
  virtual Result<void> frame(const amqp_frame_t& frame) = 0;  // of the channels in use; connection-wide ones are dealt with
  virtual void blocked(bool is_blocked) = 0;
  virtual Result<void> work(Link* link, SteadyTime now) = 0;  // after everything that may have changed something; writes into link->out()
  virtual void flushed() = 0;                                 // what work wrote is with the kernel
  virtual SteadyTime next_due() const = 0;                    // when work should be called at the latest
  virtual bool is_finished(SteadyTime now) const = 0;         // after stop(): nothing left worth waiting for
};

class Session {
 public:
  Session(Endpoint endpoint, LinkUser& user, std::string_view purpose);
  ~Session();

  void start();
  void wake() const { wakeup_.wake(); }  // thread: any
  void stop();                           // asks, wakes and joins

 private:
  void run();
  void wait(SteadyTime now);
  SteadyTime next_due() const;
  void advance_dial(SteadyTime now);
  Result<void> serve(SteadyTime now);
  Result<void> read_frames();
  Result<void> dispatch(const amqp_frame_t& frame);
  void lost(const Error& why, SteadyTime now);
  void say_why(const Error& why, SteadyTime now);
  void say_goodbye();

  const Endpoint endpoint_;
  LinkUser& user_;
  const std::string purpose_;
  const Wakeup wakeup_;
  std::thread thread_;
  std::atomic<bool> is_stopping_{false};

  // The I/O thread's own.
  std::unique_ptr<Dial> dial_;
  std::unique_ptr<Link> link_;
  Backoff backoff_;
  SteadyTime dial_at_{};
  SteadyTime dial_until_{};
  SteadyTime opened_at_{};
  bool is_flapping_ = false;  // the last link did not hold long: its successors are not worth a line each
  bool is_readable_ = false;
  bool has_more_ = false;  // frames inside the library, about which the socket is quiet
  bool is_closed_ = false;  // close-ok came
  std::string last_complaint_;
  SteadyTime complain_again_at_{};
};

}  // namespace postroom::broker
