#pragma once
// Private to common/smtp: one connected socket, watched by the loop.

#include <functional>

#include "common/loop/loop.hpp"

namespace postroom::smtp {

class Watch {
 public:
  // `ready` is called whenever the socket can be read, or written when that is wanted. The watch may be destroyed inside.
  Watch(loop::Loop& loop, int socket, std::function<void()> ready);
  ~Watch();  // before the socket is closed
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void want(bool to_write);

 private:
  struct Parts;
  Parts* parts_;
};

}  // namespace postroom::smtp
