#pragma once
// A value, or the reason why there is none. Exceptions are for start-up and bugs only.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace postroom {

// Named for what the caller should do about it.
enum class Code {
  bad_message,   // the input is wrong and stays wrong: refuse or shelve it
  not_found,     // the thing named does not exist
  conflict,      // the thing is not in the state that the request assumes
  unauthorized,  // credentials are missing, wrong or insufficient
  rate_limited,  // later, free of charge
  timeout,       // no answer in time; what happened is unknown
  unavailable,   // the far side is away; later
  io,            // this machine fails (disk, memory, descriptors): stop or turn red
  bug,           // an assumption of ours is wrong
};

std::string_view name_of(Code code);

class Error {
 public:
  // `what` says what was wrong and what to do; `where` names the place (a JSON pointer, a file, a host).
  Error(Code code, std::string what, std::string where = {})
      : code_(code), what_(std::move(what)), where_(std::move(where)) {}

  Code code() const { return code_; }
  const std::string& what() const { return what_; }
  const std::string& where() const { return where_; }
  std::string text() const { return where_.empty() ? what_ : where_ + ": " + what_; }

 private:
  Code code_;
  std::string what_;
  std::string where_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace postroom
