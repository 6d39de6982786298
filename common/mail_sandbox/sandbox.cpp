#include "common/mail_sandbox/sandbox.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <deque>
#include <optional>

#include "common/loop/child_process.hpp"
#include "common/mail/prescan.hpp"
#include "common/mail_sandbox/frames.hpp"

namespace postroom::mail_sandbox {

namespace {

constexpr int most_failed_starts = 3;
constexpr int grace_part = 10;  // of the wall limit
constexpr std::size_t most_attachment_bytes = 256 << 20;  // of one mail: more than any mail can hold

// RLIMIT_CPU counts the whole life of a process, so it is set anew for each mail. The soft limit alone: a hard one
// could not be raised again.
void allow_cpu_time(int pid, std::chrono::seconds more) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return;
  rlimit limit{};
  if (prlimit(pid, RLIMIT_CPU, nullptr, &limit) != 0) return;
  const auto wanted = static_cast<rlim_t>(used.tv_sec + (used.tv_nsec > 0 ? 1 : 0) + more.count());
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  prlimit(pid, RLIMIT_CPU, &limit, nullptr);
}

std::string how_it_ended(loop::ChildProcess::Ending ending, std::chrono::seconds cpu_limit) {
  switch (ending.signal) {
    case 0:
      return fmt::format("it exited with status {}", ending.exit_status);
    case SIGXCPU:
      return fmt::format("more than {} s of processor time", cpu_limit.count());
    case SIGSEGV:
      return "a crash (SIGSEGV)";
    case SIGABRT:
    case SIGTRAP:
      return fmt::format("out of memory or an internal error (SIG{})", sigabbrev_np(ending.signal));
    case SIGSYS:
      return "a forbidden system call";
    default: {
      const char* name = sigabbrev_np(ending.signal);
      return fmt::format("SIG{}", name == nullptr ? "?" : name);
    }
  }
}

}  // namespace

class Sandbox::Parts {
 public:
  Parts(loop::Loop& loop, Options options)
      : loop_(loop), options_(std::move(options)), wall_timer_(loop, [this] { time_is_up(); }) {
    if (options_.executable.empty()) options_.executable = executable_beside_this_program();
  }

  void submit(Job job) {
    jobs_.push_back({std::move(job)});
    advance();
  }

  std::size_t unfinished() const { return jobs_.size(); }
  int child_pid() const { return child_ == nullptr ? 0 : child_->pid(); }

  Counts counts;

 private:
  struct Waiting {
    Job job;
    std::vector<std::uint64_t> received;  // bytes of each attachment so far
    std::uint64_t received_bytes = 0;
  };

  // Starts a child if there is work for one, and keeps it busy.
  void advance() {
    if (is_in_advance_) return;
    is_in_advance_ = true;
    if (child_ == nullptr && !jobs_.empty()) start_child();
    while (child_ != nullptr && is_ready_ && !is_breached_ && sent_ < jobs_.size() && sent_ <= options_.mails_ahead &&
           taken_ < options_.recycle_after)
      send_next();
    if (child_ != nullptr && is_ready_ && sent_ == 0 && taken_ >= options_.recycle_after) child_->close_input();
    is_in_advance_ = false;
  }

  void start_child() {
    reset_child_state();
    auto started = loop::ChildProcess::start(
        loop_, options_.executable.string(), {}, [this](std::string_view bytes) { output_arrived(bytes); },
        [this](auto ending) { child_ended(ending); });
    if (!started) {
      // Told later, so that no callback runs inside submit().
      why_no_child_ = started.error().text();
      loop_.post([this, alive = std::weak_ptr{alive_}] {
        if (!alive.expired()) give_up();
      });
      return;
    }
    ++counts.children;
    child_ = std::move(*started);
    begin_wall_clock();
  }

  void reset_child_state() {
    buffer_.clear();
    sent_ = taken_ = 0;
    is_ready_ = is_breached_ = false;
    breach_.clear();
  }

  void send_next() {
    const Waiting& next = jobs_[sent_];
    std::string frame;
    frame.reserve(4 + next.job.mail.size());
    append_length(frame, static_cast<std::uint32_t>(next.job.mail.size()));
    frame += next.job.mail;
    if (sent_ == 0) begin_clock();
    ++sent_;
    ++taken_;
    child_->write(std::move(frame));
  }

  // For the mail at the head.
  void begin_clock() {
    allow_cpu_time(child_->pid(), options_.cpu_limit);
    begin_wall_clock();
  }

  void begin_wall_clock() {
    is_overdue_ = false;
    wall_timer_.after(options_.wall_limit);
  }

  void output_arrived(std::string_view bytes) {
    if (is_breached_) return;
    buffer_ += bytes;
    std::size_t begin = 0;
    while (!is_breached_) {
      std::size_t consumed = 0;
      const auto frame = next_frame(std::string_view{buffer_}.substr(begin), consumed);
      if (!frame) {
        breach(frame.error().what());
      } else if (!*frame) {
        break;
      } else {
        take(**frame);
        begin += consumed;
      }
    }
    buffer_.erase(0, begin);
    advance();
  }

  void take(const Frame& frame) {
    if (frame.kind == FrameKind::ready) {
      if (is_ready_) return breach("the parser's answer makes no sense: ready twice");
      is_ready_ = true;
      failed_starts_ = 0;
      wall_timer_.cancel();
      return;
    }
    if (!is_ready_ || sent_ == 0) return breach("the parser's answer makes no sense: nothing was asked");
    Waiting& head = jobs_.front();
    if (frame.kind == FrameKind::piece) return take_piece(head, frame.payload);
    if (frame.kind == FrameKind::refusal) {
      ++counts.refused;
      return finish_head(Error{Code::bad_message, std::string{frame.payload.substr(0, 500)}});
    }
    auto message = decode_message(frame.payload);
    if (!message) return breach(message.error().what());
    for (std::size_t i = 0; i < message->attachments.size(); ++i) {
      const std::uint64_t received = i < head.received.size() ? head.received[i] : 0;
      if (message->attachments[i].size != received)
        return breach("the parser's answer makes no sense: attachments of another size");
    }
    if (head.received.size() > message->attachments.size())
      return breach("the parser's answer makes no sense: attachments without a name");
    ++counts.parsed;
    finish_head(std::move(message));
  }

  void take_piece(Waiting& head, std::string_view payload) {
    if (payload.size() < 4 || payload.size() > 4 + longest_piece)
      return breach("the parser's answer makes no sense: a piece of the wrong size");
    const std::size_t index = read_length(payload.substr(0, 4));
    payload.remove_prefix(4);
    const bool is_next = index < most_attachments && (head.received.empty() || index + 1 >= head.received.size());
    head.received_bytes += payload.size();
    if (!is_next || head.received_bytes > most_attachment_bytes)
      return breach("the parser's answer makes no sense: attachments out of order");
    head.received.resize(index + 1);
    head.received[index] += payload.size();
    if (head.job.on_attachment_bytes) head.job.on_attachment_bytes(index, payload);
  }

  void finish_head(Result<mail::Message> result) {
    const Job job = std::move(jobs_.front().job);
    jobs_.pop_front();
    --sent_;
    if (sent_ > 0) {
      begin_clock();
    } else {
      wall_timer_.cancel();
    }
    job.on_done(std::move(result));
  }

  void breach(std::string why) {
    is_breached_ = true;
    breach_ = std::move(why);
    child_->kill(SIGKILL);
  }

  // The loop calls timers before it reads. So when it was this process that stood still (stopped, or a machine asleep), the
  // answer may lie there already: it is read first, and only what is still missing then is late.
  void time_is_up() {
    if (child_ == nullptr || is_breached_) return;
    if (!is_overdue_) {
      is_overdue_ = true;
      return wall_timer_.after(options_.wall_limit / grace_part);
    }
    breach(is_ready_ ? fmt::format("it took longer than {} ms", options_.wall_limit.count())
                     : "the parser does not start");
  }

  // All that it wrote has been read: the first unanswered mail is the culprit, the others go to the next child.
  void child_ended(loop::ChildProcess::Ending ending) {
    const bool was_ready = is_ready_;
    const std::size_t unanswered = sent_;
    const std::string why = breach_.empty() ? how_it_ended(ending, options_.cpu_limit) : breach_;
    wall_timer_.cancel();
    ended_child_ = std::move(child_);  // we are inside its callback
    sent_ = 0;
    if (!was_ready) {
      why_no_child_ = fmt::format("{}: {}", options_.executable.string(), why);
      if (++failed_starts_ >= most_failed_starts) return give_up();
    } else if (unanswered > 0) {
      ++counts.breaches;
      const Job culprit = std::move(jobs_.front().job);
      jobs_.pop_front();
      for (Waiting& other : jobs_) {
        if (other.received.empty()) continue;
        other.received.clear();
        other.received_bytes = 0;
        if (other.job.on_restart) other.job.on_restart();
      }
      culprit.on_done(Error{Code::bad_message, "the mail broke the parser: " + why});
    }
    loop_.post([this, alive = std::weak_ptr{alive_}] {
      if (alive.expired()) return;
      ended_child_.reset();
      advance();
    });
  }

  void give_up() {
    failed_starts_ = 0;
    std::deque<Waiting> failed;
    failed.swap(jobs_);
    for (Waiting& one : failed) one.job.on_done(Error{Code::unavailable, why_no_child_, "mail sandbox"});
  }

  loop::Loop& loop_;
  Options options_;
  std::deque<Waiting> jobs_;  // the first sent_ of them are with the child
  std::size_t sent_ = 0;
  std::size_t taken_ = 0;  // mails that this child was given
  std::string buffer_;
  std::string breach_;
  std::string why_no_child_;
  bool is_ready_ = false;
  bool is_breached_ = false;
  bool is_in_advance_ = false;
  bool is_overdue_ = false;  // the wall limit has passed once
  int failed_starts_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  loop::Timer wall_timer_;
  std::unique_ptr<loop::ChildProcess> child_;
  std::unique_ptr<loop::ChildProcess> ended_child_;
};

Sandbox::Sandbox(loop::Loop& loop, Options options) : parts_(std::make_unique<Parts>(loop, std::move(options))) {}
Sandbox::~Sandbox() = default;

void Sandbox::submit(Job job) {
  const std::size_t limit = mail::Limits{}.mail_bytes;
  if (job.mail.size() > limit) {  // the child would not take it
    ++parts_->counts.refused;
    return job.on_done(Error{Code::bad_message, fmt::format("bytes: {}, allowed are {}", job.mail.size(), limit)});
  }
  parts_->submit(std::move(job));
}

std::size_t Sandbox::unfinished() const {
  return parts_->unfinished();
}
int Sandbox::child_pid() const {
  return parts_->child_pid();
}
const Counts& Sandbox::counts() const {
  return parts_->counts;
}

std::filesystem::path executable_beside_this_program() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "postroom-mail-sandbox";
}

}  // namespace postroom::mail_sandbox
