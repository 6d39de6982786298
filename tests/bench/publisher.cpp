// bench_publisher: the reference of `intake`: a bare rabbitmq-c client that publishes one body durably to a quorum
// queue, with at most a window of unconfirmed messages, and does nothing else.
//
//   bench_publisher --port P --vhost V --user U --password FILE --body FILE --count N [--window 64]
//
// Declares a queue of its own and deletes it at the end. Prints one line: messages, seconds from the first publish to
// the last confirm, seconds of processor time of this process.

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>

namespace {

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::string contents(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

void must(const amqp_rpc_reply_t& reply, const char* what) {
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error(std::string{what} + " failed");
}

amqp_bytes_t bytes_of(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

// Waits for one frame; how many messages it confirms, the last of them being tag `confirmed` so far.
std::uint64_t take_confirm(amqp_connection_state_t link, std::uint64_t confirmed) {
  amqp_frame_t frame;
  timeval patience{30, 0};
  if (amqp_simple_wait_frame_noblock(link, &frame, &patience) != AMQP_STATUS_OK)
    throw std::runtime_error("no confirm within 30 s");
  if (frame.frame_type != AMQP_FRAME_METHOD) return 0;
  if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) throw std::runtime_error("the broker did not confirm");
  const auto* ack = static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
  return ack->multiple ? ack->delivery_tag - confirmed : 1;
}

void run(std::map<std::string, std::string> options) {
  const std::uint64_t count = std::stoull(options["--count"]);
  const std::uint64_t window = options.contains("--window") ? std::stoull(options["--window"]) : 64;
  const std::string body = contents(options["--body"]);
  std::string password = contents(options["--password"]);
  while (!password.empty() && password.back() == '\n') password.pop_back();

  amqp_connection_state_t link = amqp_new_connection();
  amqp_socket_t* socket = amqp_tcp_socket_new(link);
  if (amqp_socket_open(socket, "127.0.0.1", std::stoi(options["--port"])) != AMQP_STATUS_OK)
    throw std::runtime_error("cannot connect");
  must(amqp_login(link, options["--vhost"].c_str(), 0, 131'072, 0, AMQP_SASL_METHOD_PLAIN, options["--user"].c_str(),
                  password.c_str()),
       "login");
  amqp_channel_open(link, 1);
  must(amqp_get_rpc_reply(link), "opening a channel");
  const std::string queue = "bench." + std::to_string(static_cast<std::uint64_t>(seconds_of(CLOCK_MONOTONIC) * 1e6));
  amqp_table_entry_t argument{amqp_cstring_bytes("x-queue-type"), {AMQP_FIELD_KIND_UTF8, {}}};
  argument.value.value.bytes = amqp_cstring_bytes("quorum");
  amqp_queue_declare(link, 1, bytes_of(queue), 0, 1, 0, 0, {1, &argument});
  must(amqp_get_rpc_reply(link), "declaring the queue");
  amqp_confirm_select(link, 1);
  must(amqp_get_rpc_reply(link), "asking for confirms");

  const double began = seconds_of(CLOCK_MONOTONIC), spent = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  std::uint64_t published = 0, confirmed = 0;
  while (confirmed < count) {
    while (published < count && published - confirmed < window) {
      const std::string id = std::to_string(++published);
      amqp_basic_properties_t properties{};
      properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG |
                          AMQP_BASIC_CONTENT_TYPE_FLAG;
      properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
      properties.message_id = bytes_of(id);
      properties.type = amqp_cstring_bytes("ticket.open.v1");
      properties.content_type = amqp_cstring_bytes("application/json");
      if (amqp_basic_publish(link, 1, amqp_empty_bytes, bytes_of(queue), 1, 0, &properties, bytes_of(body)) !=
          AMQP_STATUS_OK)
        throw std::runtime_error("cannot publish");
    }
    confirmed += take_confirm(link, confirmed);
    amqp_maybe_release_buffers(link);
  }
  std::printf("%llu %.6f %.6f\n", static_cast<unsigned long long>(count), seconds_of(CLOCK_MONOTONIC) - began,
              seconds_of(CLOCK_PROCESS_CPUTIME_ID) - spent);
  amqp_queue_delete(link, 1, bytes_of(queue), 0, 0);
  must(amqp_get_rpc_reply(link), "deleting the queue");
  amqp_destroy_connection(link);
}

}  // namespace

int main(int count, char** words) {
  try {
    std::map<std::string, std::string> options;
    for (int at = 1; at + 1 < count; at += 2) options[words[at]] = words[at + 1];
    run(options);
    return 0;
  } catch (const std::exception& wrong) {
    std::fprintf(stderr, "bench_publisher: %s\n", wrong.what());
    return 2;
  }
}
