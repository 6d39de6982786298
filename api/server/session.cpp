#include "api/server/session.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "api/problem.hpp"
#include "api/server/request_metrics.hpp"
#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"

// GCC 12.2 miscompiles temporaries inside a co_await: no `{` and no `[` to its right. Name it on the line above and move it in.

namespace postroom::api {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::use_awaitable;
using boost::system::error_code;

namespace {

constexpr std::size_t read_step = 8 * 1024;      // bytes
constexpr std::size_t most_lingering = 1 << 20;  // bytes that are read and thrown away before closing

Reply refused_head(const HeadRefusal& refusal) {
  return to_reply(Problem{.status = refusal.status, .slug = "invalid-head", .title = "The request's head is not acceptable", .detail = refusal.detail});
}

Reply too_slow() {
  return to_reply(Problem{.status = 408, .slug = "too-slow", .title = "The request did not arrive in time", .detail = "send it again, faster"});
}

// Chunk extensions mean nothing to us, and Beast 1.81 reads a line feed in a quoted one differently from others.
void refuse_chunk_extension(std::uint64_t, boost::beast::string_view extension, error_code& failed) {
  if (!extension.empty()) failed = http::error::bad_chunk_extension;
}

}  // namespace

std::string_view Session::buffered() const {
  const auto data = buffer_.cdata();
  return std::string_view{static_cast<const char*>(data.data()), data.size()};
}

void Session::enter(Stage stage, std::chrono::seconds limit) {
  stage_ = stage;
  deadline_ = limit.count() == 0 ? SteadyTime::max() : house_.clock.steady() + limit;
}

void Session::check_deadline(SteadyTime now) {
  if (now < deadline_) return;
  deadline_ = SteadyTime::max();
  is_expired_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void Session::quiet() {
  is_quiet_ = true;
  error_code ignored;
  if (stage_ == Stage::idle && buffer_.size() == 0) socket_.cancel(ignored);
}

asio::awaitable<void> Session::run(std::shared_ptr<Session> self) {
  try {
    bool goes_on = true;
    while (goes_on && !self->is_quiet_) goes_on = co_await serve_one();
  } catch (const std::exception& thrown) {
    log::error("a session failed", {{"what", thrown.what()}});
  }
  error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<bool> Session::serve_one() {
  const std::size_t head_size = co_await read_head_bytes();
  if (head_size == 0) co_return false;
  head_bytes_.assign(buffered().substr(0, head_size));
  visit_ = Visit();
  const auto head = read_head(head_bytes_);
  if (const auto* refusal = std::get_if<HeadRefusal>(&head)) {
    Reply reply = refused_head(*refusal);
    co_await send(std::move(reply), false);
    co_return false;
  }
  const auto began = house_.clock.steady();
  visit_.head = std::get<Head>(head);
  reply_ = house_.door.admit(visit_);
  const bool is_whole = co_await read_body(reply_.has_value());
  if (!reply_ && !is_whole) co_return false;
  if (!reply_) reply_ = house_.door.take_body(visit_);
  if (!visit_.body.empty()) crash_point("api_after_read");
  if (!reply_) reply_ = co_await ask_service();
  Reply reply = std::move(*reply_);
  const bool keep_alive = is_whole && visit_.head.keep_alive && !is_quiet_;
  count_request(visit_.route, reply.status, house_.clock.steady() - began);
  const bool was_sent = co_await send(std::move(reply), keep_alive);
  co_return was_sent && keep_alive;
}

// The size of the head at the buffer's start; 0: there is none, and what was to be said has been said.
asio::awaitable<std::size_t> Session::read_head_bytes() {
  std::size_t seen = 0;
  enter(buffer_.size() == 0 ? Stage::idle : Stage::head, buffer_.size() == 0 ? house_.limits.idle : house_.limits.head);
  while (true) {
    const HeadEnd end = find_head_end(buffered(), seen);
    if (end.refusal) {
      Reply reply = refused_head(*end.refusal);
      co_await send(std::move(reply), false);
      co_return 0;
    }
    if (end.at != std::string_view::npos) co_return end.at;
    seen = buffer_.size();
    error_code failed;
    const auto room = buffer_.prepare(read_step);
    const std::size_t got = co_await socket_.async_read_some(room, asio::redirect_error(use_awaitable, failed));
    buffer_.commit(got);
    if (failed) {
      const bool is_slow = is_expired_ && stage_ == Stage::head;
      Reply reply = too_slow();
      if (is_slow) co_await send(std::move(reply), false);
      co_return 0;
    }
    if (stage_ == Stage::idle) enter(Stage::head, house_.limits.head);
  }
}

// Takes the head and its body out of the buffer. False: the body is not all here, and the connection cannot go on; reply_ may say why.
// `is_refused`: only what is here already is taken, nothing is waited for.
asio::awaitable<bool> Session::read_body(bool is_refused) {
  const Head& head = visit_.head;
  if (!head.chunked && head.content_length.value_or(0) == 0) {
    buffer_.consume(head_bytes_.size());
    co_return true;
  }
  enter(Stage::body, house_.limits.body);
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.header_limit(static_cast<std::uint32_t>(longest_head + 1));
  parser.body_limit(house_.settings.body_limit);
  auto on_chunk = refuse_chunk_extension;
  parser.on_chunk_header(on_chunk);
  error_code failed;
  const std::size_t used = parser.put(buffer_.data(), failed);
  buffer_.consume(used);
  if (failed == http::error::need_more) failed = error_code();
  if (!failed && !parser.is_done()) {
    if (is_refused) co_return false;
    if (head.expects_continue) {
      out_ = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(socket_, asio::buffer(out_), asio::redirect_error(use_awaitable, failed));
    }
    if (!failed) co_await http::async_read(socket_, buffer_, parser, asio::redirect_error(use_awaitable, failed));
  }
  if (is_refused) co_return !failed;
  if (failed == http::error::body_limit) {
    reply_ = too_large(head.path, house_.settings.body_limit);
  } else if (failed && is_expired_) {
    reply_ = too_slow();
  } else if (failed && failed.category() == http::make_error_code(http::error::bad_chunk).category() && failed != http::error::partial_message &&
             failed != http::error::end_of_stream) {
    reply_ = bad_request("invalid-framing", failed.message(), head.path);
  }
  if (failed) co_return false;
  const auto& fields = parser.get().base();
  if (static_cast<std::size_t>(std::distance(fields.begin(), fields.end())) != head.field_count) {
    reply_ = bad_request("invalid-framing", "fields after the body are not accepted", head.path);
    co_return false;
  }
  visit_.body = std::move(parser.get().body());
  co_return true;
}

asio::awaitable<Reply> Session::ask_service() {
  enter(Stage::answering, std::chrono::seconds(0));
  answered_.expires_at(SteadyTime::max());
  auto done = [self = shared_from_this()](Reply reply) {
    self->reply_ = std::move(reply);
    self->answered_.cancel();
  };
  house_.service.answer(visit_, std::move(done));
  error_code woken;
  // One thread: nothing can answer between this look and the wait.
  while (!reply_) co_await answered_.async_wait(asio::redirect_error(use_awaitable, woken));
  co_return std::move(*reply_);
}

asio::awaitable<bool> Session::send(Reply reply, bool keep_alive) {
  enter(Stage::writing, house_.limits.write);
  is_expired_ = false;
  // A refusal over half a request: the method may be unknown, HEAD is then no reason to withhold the words.
  const ReplyForm form{.keep_alive = keep_alive,
                       .is_http_1_0 = visit_.head.minor_version == 0,
                       .is_head = visit_.head.method == "HEAD",
                       .date = http_date_now(house_.clock.wall())};
  write_reply(out_, reply, form);
  if (reply.status == 202) crash_point("api_before_answer");
  error_code failed;
  co_await asio::async_write(socket_, asio::buffer(out_), asio::redirect_error(use_awaitable, failed));
  if (reply.status == 202) crash_point("api_after_answer");
  if (!failed && reply.file != nullptr && !form.is_head) {
    const bool was_whole = co_await send_file(reply.file);
    if (!was_whole) co_return false;  // fewer bytes than announced: the peer sees that it is cut off
  }
  if (!failed && !keep_alive) co_await linger();
  co_return !failed;
}

// Part after part: the next one is read when the peer's side has room again, within the time for a write each.
asio::awaitable<bool> Session::send_file(std::shared_ptr<FileBody> file) {
  error_code failed;
  while (!file->is_read()) {
    enter(Stage::answering, std::chrono::seconds(0));
    part_.reset();
    answered_.expires_at(SteadyTime::max());
    auto took = [self = shared_from_this()](std::string part) {
      self->part_ = std::move(part);
      self->answered_.cancel();
    };
    house_.service.read_part(file, std::move(took));
    error_code woken;
    while (!part_) co_await answered_.async_wait(asio::redirect_error(use_awaitable, woken));
    if (part_->empty()) co_return false;
    enter(Stage::writing, house_.limits.write);
    co_await asio::async_write(socket_, asio::buffer(*part_), asio::redirect_error(use_awaitable, failed));
    if (failed) co_return false;
  }
  part_.reset();
  co_return true;
}

// Closing with unread bytes resets the connection, and the peer may lose the answer: its bytes are read for a moment first.
asio::awaitable<void> Session::linger() {
  enter(Stage::closing, house_.limits.linger);
  error_code failed;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failed);
  std::size_t thrown_away = 0;
  while (!failed && thrown_away < most_lingering) {
    buffer_.clear();
    const auto room = buffer_.prepare(read_step);
    thrown_away += co_await socket_.async_read_some(room, asio::redirect_error(use_awaitable, failed));
  }
}

}  // namespace postroom::api
