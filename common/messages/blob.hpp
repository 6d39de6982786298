#pragma once
// A reference to bytes in the blob store: mails and attachments never travel through the broker.

#include <cstdint>
#include <string>

#include "common/messages/describe.hpp"

namespace postroom::messages {

struct BlobRef {
  std::string sha256;     // 64 lower-case hexadecimal digits
  std::int64_t size = 0;  // bytes
  bool operator==(const BlobRef&) const = default;
  static void describe(auto& self, auto&& field) {
    field("sha256", self.sha256);
    field("size", self.size);
  }
};

}  // namespace postroom::messages
