#pragma once
// What the fuzz targets share. With clang they are libFuzzer programs; with GCC replay.cpp runs them for a short time
// (CTest label fuzz).

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace postroom::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace postroom::fuzz
