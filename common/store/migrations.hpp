#pragma once
// The files of schemas/sql, compiled in, in order.

#include <span>
#include <string_view>

namespace postroom::store {

struct Migration {
  int number;
  std::string_view name;  // 0001_core
  std::string_view sql;
};

std::span<const Migration> migrations();

}  // namespace postroom::store
