#pragma once
// A private folder that goes away with the test, and a migrated database in it.

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "common/store/database.hpp"

namespace postroom::fakes {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "postroom-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::unique_ptr<store::Database> new_database(const std::filesystem::path& file) {
  auto opened = store::open_sqlite_writer(file.string());
  REQUIRE(opened.ok());
  REQUIRE(store::migrate(**opened).ok());
  return std::move(*opened);
}

}  // namespace postroom::fakes
