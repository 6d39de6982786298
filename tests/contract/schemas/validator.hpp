#pragma once
// A JSON Schema, ready to judge documents.

#include <memory>
#include <string>

namespace postroom::contract {

class Validator {
 public:
  explicit Validator(const std::string& schema);  // throws std::runtime_error when it is no schema
  ~Validator();

  // What is wrong with the document, one finding a line; empty when it is valid.
  std::string findings(const std::string& document) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace postroom::contract
