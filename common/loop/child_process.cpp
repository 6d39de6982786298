#include "common/loop/child_process.hpp"

#include <uv.h>

#include <array>
#include <csignal>

namespace postroom::loop {

// Lives until its three handles are closed and its owner is gone, whichever comes last.
struct ChildProcess::Parts {
  uv_process_t process{};
  uv_pipe_t input{};
  uv_pipe_t output{};
  uv_shutdown_t shutdown{};
  std::array<char, 64 * 1024> buffer{};
  std::function<void(std::string_view)> on_output;
  std::function<void(Ending)> on_end;
  Ending ending;
  int users = 1;  // the owner, and each open handle
  bool has_exited = false;
  bool is_output_over = false;
  bool is_input_closed = false;
  bool is_abandoned = false;

  static void close(uv_handle_t* handle) {
    uv_close(handle, [](uv_handle_t* closed) { static_cast<Parts*>(closed->data)->release(); });
  }

  void release() {
    if (--users == 0) delete this;
  }

  template <class Handle>
  void adopt(Handle& handle) {
    handle.data = this;
    ++users;
  }

  void close_input() {
    if (is_input_closed) return;
    is_input_closed = true;
    close(reinterpret_cast<uv_handle_t*>(&input));
  }

  void exited(Ending how) {
    ending = how;
    has_exited = true;
    close(reinterpret_cast<uv_handle_t*>(&process));
    close_input();
    ended();
  }

  void output_arrived(ssize_t count) {
    if (count > 0) {
      if (!is_abandoned) on_output({buffer.data(), static_cast<std::size_t>(count)});
    } else if (count < 0 && !is_output_over) {
      is_output_over = true;
      close(reinterpret_cast<uv_handle_t*>(&output));
      ended();
    }
  }

  void ended() {
    if (!has_exited || !is_output_over || is_abandoned) return;
    const auto tell = std::move(on_end);  // may destroy the ChildProcess
    tell(ending);
  }
};

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(Loop& loop, const std::string& executable,
                                                          const std::vector<std::string>& arguments,
                                                          std::function<void(std::string_view)> on_output,
                                                          std::function<void(Ending)> on_end) {
  std::signal(SIGPIPE, SIG_IGN);  // a child that dies while we write to it is told by on_end, not by our own death
  auto* parts = new Parts;
  auto* uv = static_cast<uv_loop_t*>(loop.handle());
  uv_pipe_init(uv, &parts->input, 0);
  uv_pipe_init(uv, &parts->output, 0);
  parts->adopt(parts->input);
  parts->adopt(parts->output);
  parts->adopt(parts->process);
  parts->on_output = std::move(on_output);
  parts->on_end = std::move(on_end);

  std::vector<char*> argv{const_cast<char*>(executable.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  std::array<uv_stdio_container_t, 3> stdio{};
  stdio[0].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_READABLE_PIPE);
  stdio[0].data.stream = reinterpret_cast<uv_stream_t*>(&parts->input);
  stdio[1].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
  stdio[1].data.stream = reinterpret_cast<uv_stream_t*>(&parts->output);
  stdio[2].flags = UV_IGNORE;
  uv_process_options_t options{};
  options.file = executable.c_str();
  options.args = argv.data();
  options.env = environment.data();
  options.stdio_count = static_cast<int>(stdio.size());
  options.stdio = stdio.data();
  options.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
    static_cast<Parts*>(process->data)->exited({static_cast<int>(status), signal});
  };
  const int error = uv_spawn(uv, &parts->process, &options);
  parts->process.data = parts;  // uv_spawn clears nothing of ours, but says so nowhere
  if (error != 0) {
    parts->is_abandoned = true;
    Parts::close(reinterpret_cast<uv_handle_t*>(&parts->process));
    Parts::close(reinterpret_cast<uv_handle_t*>(&parts->output));
    parts->close_input();
    parts->release();
    return Error{Code::io, uv_strerror(error), executable};
  }
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(&parts->output),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* into) {
        auto& buffer = static_cast<Parts*>(handle->data)->buffer;
        *into = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
        static_cast<Parts*>(stream->data)->output_arrived(count);
      });
  return std::unique_ptr<ChildProcess>{new ChildProcess{parts}};
}

ChildProcess::~ChildProcess() {
  parts_->is_abandoned = true;
  if (!parts_->has_exited) uv_process_kill(&parts_->process, SIGKILL);
  parts_->close_input();
  if (!parts_->is_output_over) {
    parts_->is_output_over = true;
    Parts::close(reinterpret_cast<uv_handle_t*>(&parts_->output));
  }
  parts_->release();
}

void ChildProcess::write(std::string data) {
  if (parts_->is_input_closed || data.empty()) return;
  struct Request {
    uv_write_t write{};
    std::string data;
  };
  auto* request = new Request{{}, std::move(data)};
  request->write.data = request;
  const uv_buf_t piece = uv_buf_init(request->data.data(), static_cast<unsigned>(request->data.size()));
  const int error = uv_write(&request->write, reinterpret_cast<uv_stream_t*>(&parts_->input), &piece, 1,
                             [](uv_write_t* write, int) { delete static_cast<Request*>(write->data); });
  if (error != 0) delete request;
}

void ChildProcess::close_input() {
  if (parts_->is_input_closed || parts_->shutdown.data != nullptr) return;
  parts_->shutdown.data = parts_;
  const int error = uv_shutdown(&parts_->shutdown, reinterpret_cast<uv_stream_t*>(&parts_->input),
                                [](uv_shutdown_t* request, int) { static_cast<Parts*>(request->data)->close_input(); });
  if (error != 0) parts_->close_input();
}

void ChildProcess::kill(int signal) {
  if (!parts_->has_exited) uv_process_kill(&parts_->process, signal);
}

int ChildProcess::pid() const {
  return parts_->has_exited ? 0 : parts_->process.pid;
}

}  // namespace postroom::loop
