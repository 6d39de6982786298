#include "common/smtp/watch.hpp"

#include <uv.h>

namespace postroom::smtp {

// Deletes itself when its handle has closed.
struct Watch::Parts {
  uv_poll_t handle{};
  std::function<void()> ready;
};

Watch::Watch(loop::Loop& loop, int socket, std::function<void()> ready) : parts_(new Parts) {
  parts_->handle.data = parts_;
  parts_->ready = std::move(ready);
  uv_poll_init_socket(static_cast<uv_loop_t*>(loop.handle()), &parts_->handle, socket);
  want(false);
}

Watch::~Watch() {
  uv_poll_stop(&parts_->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&parts_->handle), [](uv_handle_t* closed) { delete static_cast<Parts*>(closed->data); });
}

void Watch::want(bool to_write) {
  uv_poll_start(&parts_->handle, to_write ? UV_READABLE | UV_WRITABLE : UV_READABLE,
                [](uv_poll_t* handle, int, int) { static_cast<Parts*>(handle->data)->ready(); });
}

}  // namespace postroom::smtp
