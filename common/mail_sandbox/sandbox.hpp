#pragma once
// The parent side: one child that parses mails in order, one mail ahead, replaced when a mail breaks it. Neighbours
// never notice.

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/loop/loop.hpp"
#include "common/mail/message.hpp"

namespace postroom::mail_sandbox {

struct Options {
  std::filesystem::path executable;              // postroom-mail-sandbox; empty: beside this program
  std::chrono::milliseconds wall_limit{10'000};  // for one mail, and for the start of a child
  std::chrono::seconds cpu_limit{2};  // for one mail, rounded up to the next whole second of the child's life
  std::size_t recycle_after = 1'000;  // mails a child
  std::size_t mails_ahead = 1;        // sent while one is being parsed
};

struct Job {
  std::string mail;
  // Decoded bytes of attachment `index` of the coming message, in order; all of them come before on_done. May be empty.
  // When on_done brings an error, or the mail is sent again to a new child (on_restart), forget them.
  std::function<void(std::size_t index, std::string_view bytes)> on_attachment_bytes;
  std::function<void()> on_restart;  // may be empty: the pieces so far are void, they come again
  // Once. bad_message: the mail cannot be parsed, `what` says why (refused, or it broke the child). unavailable: no
  // child can be started; nothing is said about the mail.
  std::function<void(Result<mail::Message>)> on_done;
};

struct Counts {
  std::size_t parsed = 0;
  std::size_t refused = 0;   // by the child's pre-scan
  std::size_t breaches = 0;  // children that a mail broke
  std::size_t children = 0;  // started
};

// Thread: the loop's. Callbacks may submit; they may not destroy the sandbox.
class Sandbox {
 public:
  Sandbox(loop::Loop& loop, Options options);
  ~Sandbox();  // kills the child; jobs that are not done are never called back
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  void submit(Job job);
  std::size_t unfinished() const;
  int child_pid() const;  // 0: none runs
  const Counts& counts() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

std::filesystem::path executable_beside_this_program();

}  // namespace postroom::mail_sandbox
