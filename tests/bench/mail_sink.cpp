// bench_mail_sink: an SMTP server that takes every mail and keeps none, so that the far side costs next to nothing.
//
//   bench_mail_sink     prints `listening on PORT`, then, for every line on standard input, how many mails it has
//   taken; ends with its input
//
// Loopback, no TLS; AUTH PLAIN with anything. A command after another one may come in the same packet.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

unsigned long long taken = 0;

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : socket_(std::move(socket)) { socket_.set_option(tcp::no_delay{true}); }

  void start() { say("220 localhost ESMTP\r\n"); }

 private:
  void say(std::string answer) {
    out_ = std::move(answer);
    asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this()](error_code failed, std::size_t) {
      if (!failed && !self->is_leaving_) self->listen();
    });
  }

  void listen() {
    const std::string_view end = is_in_mail_ ? "\r\n.\r\n" : "\r\n";
    asio::async_read_until(socket_, in_, end, [self = shared_from_this()](error_code failed, std::size_t size) {
      if (failed) return;
      const std::string heard{static_cast<const char*>(self->in_.data().data()), std::min<std::size_t>(size, 4)};
      self->in_.consume(size);
      self->say(self->answer(heard));
    });
  }

  std::string answer(const std::string& heard) {
    if (is_in_mail_) {
      is_in_mail_ = false;
      ++taken;
      return "250 2.0.0 kept by nobody\r\n";
    }
    if (heard == "EHLO") return "250-localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN\r\n";
    if (heard == "AUTH") return "235 2.7.0 welcome\r\n";
    if (heard == "QUIT") is_leaving_ = true;
    is_in_mail_ = heard == "DATA";
    return is_in_mail_ ? "354 go on\r\n" : is_leaving_ ? "221 2.0.0 bye\r\n" : "250 2.0.0 fine\r\n";
  }

  tcp::socket socket_;
  asio::streambuf in_;
  std::string out_;
  bool is_in_mail_ = false, is_leaving_ = false;
};

void accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](error_code failed, tcp::socket socket) {
    if (!failed) std::make_shared<Session>(std::move(socket))->start();
    accept(acceptor);
  });
}

void answer_input(asio::posix::stream_descriptor& input, asio::streambuf& line) {
  asio::async_read_until(input, line, '\n', [&](error_code failed, std::size_t size) {
    if (failed) std::_Exit(0);
    line.consume(size);
    std::printf("%llu\n", taken);
    std::fflush(stdout);
    answer_input(input, line);
  });
}

}  // namespace

int main() {
  asio::io_context context{1};
  tcp::acceptor acceptor{context, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  std::printf("listening on %d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  asio::posix::stream_descriptor input{context, 0};
  asio::streambuf line;
  accept(acceptor);
  answer_input(input, line);
  context.run();
}
