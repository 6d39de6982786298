// Files of the blob store as bodies of answers.

#include "api/server/file_body.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "common/crypto/crypto.hpp"
#include "tests/support/scratch.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {


struct Blobs {
  fakes::ScratchFolder folder;
  std::string name = std::string(64, 'a');
  std::filesystem::path file;
  void keep(const std::string& content) {
    name = crypto::to_hex(crypto::sha256(content));
    file = folder.path() / name.substr(0, 2) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file, std::ios::binary} << content;
  }
  auto open(std::int64_t size) { return FileBody::open(folder.path(), name, size); }
};

}  // namespace

TEST_CASE("a file is read in parts, to its end and not beyond") {
  Blobs blobs;
  std::string content;
  for (int n = 0; n < 1'000; ++n) content += std::to_string(n);
  blobs.keep(content);
  const auto file = blobs.open(static_cast<std::int64_t>(content.size()));
  REQUIRE(file.ok());
  std::string read;
  while (!(*file)->is_read()) {
    const auto part = (*file)->next(100);
    REQUIRE(part.ok());
    CHECK(part->size() <= 100);
    CHECK_FALSE(part->empty());
    read += *part;
  }
  CHECK(read == content);
}

TEST_CASE("a file that is shorter than it was is an error in the middle, not zeros") {
  Blobs blobs;
  blobs.keep(std::string(1'000, 'x'));
  const auto file = blobs.open(1'000);
  REQUIRE(file.ok());
  std::filesystem::resize_file(blobs.file, 500);
  CHECK((*file)->next(400).ok());
  const auto cut = (*file)->next(400);
  REQUIRE_FALSE(cut.ok());
  CHECK(cut.error().code() == Code::io);
}

TEST_CASE("a file with other bytes than its name says is never handed out whole") {
  Blobs blobs;
  blobs.keep(std::string(1'000, 'x'));
  std::ofstream{blobs.file, std::ios::binary} << std::string(999, 'x') << "y";
  const auto file = blobs.open(1'000);
  REQUIRE(file.ok());
  CHECK((*file)->next(600).ok());
  const auto last = (*file)->next(600);
  REQUIRE_FALSE(last.ok());
  CHECK(last.error().code() == Code::io);
}

TEST_CASE("what is not there, has another size or is no file is told apart") {
  Blobs blobs;
  CHECK(blobs.open(3).error().code() == Code::not_found);
  blobs.keep("abc");
  CHECK(blobs.open(3).ok());
  CHECK(blobs.open(4).error().code() == Code::bad_message);
  for (const std::string& name : {std::string{}, std::string{"../../../../etc/passwd"}, std::string(64, '/'), std::string(64, 'A'), blobs.name + "0"}) {
    CAPTURE(name);
    CHECK(FileBody::open(blobs.folder.path(), name, 3).error().code() == Code::not_found);
  }
  std::filesystem::remove(blobs.file);
  std::filesystem::create_directory(blobs.file);
  CHECK_FALSE(blobs.open(3).ok());
  std::filesystem::remove(blobs.file);
  std::filesystem::create_symlink("/etc/hostname", blobs.file);
  CHECK_FALSE(blobs.open(static_cast<std::int64_t>(std::filesystem::file_size("/etc/hostname"))).ok());
}
