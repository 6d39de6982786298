// Files of the blob store as bodies of answers.

#include "api/server/file_body.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/scratch.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

const std::string digest = "ab" + std::string(62, '0');

struct Blobs {
  fakes::ScratchFolder folder;
  void keep(const std::string& content) {
    std::filesystem::create_directories(folder.path() / "ab");
    std::ofstream{folder.path() / "ab" / digest, std::ios::binary} << content;
  }
  auto open(std::int64_t size, std::string_view name = digest) { return FileBody::open(folder.path(), name, size); }
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
  while (static_cast<std::int64_t>(read.size()) < (*file)->size()) {
    const auto part = (*file)->read(static_cast<std::int64_t>(read.size()), 100);
    REQUIRE(part.ok());
    CHECK(part->size() <= 100);
    read += *part;
  }
  CHECK(read == content);
  CHECK_FALSE((*file)->read((*file)->size(), 100).ok());
}

TEST_CASE("a file that is shorter than it was is an error in the middle, not zeros") {
  Blobs blobs;
  blobs.keep(std::string(1'000, 'x'));
  const auto file = blobs.open(1'000);
  REQUIRE(file.ok());
  std::filesystem::resize_file(blobs.folder.path() / "ab" / digest, 500);
  CHECK((*file)->read(0, 400).ok());
  const auto cut = (*file)->read(400, 400);
  REQUIRE_FALSE(cut.ok());
  CHECK(cut.error().code() == Code::io);
}

TEST_CASE("what is not there, has another size or is no file is told apart") {
  Blobs blobs;
  CHECK(blobs.open(3).error().code() == Code::not_found);
  blobs.keep("abc");
  CHECK(blobs.open(3).ok());
  CHECK(blobs.open(4).error().code() == Code::bad_message);
  for (const std::string& name : {std::string{}, std::string{"../../../../etc/passwd"}, std::string(64, '/'), std::string(64, 'A'), digest + "0"}) {
    CAPTURE(name);
    CHECK(blobs.open(3, name).error().code() == Code::not_found);
  }
  std::filesystem::remove(blobs.folder.path() / "ab" / digest);
  std::filesystem::create_directory(blobs.folder.path() / "ab" / digest);
  CHECK_FALSE(blobs.open(3).ok());
  std::filesystem::remove(blobs.folder.path() / "ab" / digest);
  std::filesystem::create_symlink("/etc/hostname", blobs.folder.path() / "ab" / digest);
  CHECK_FALSE(blobs.open(static_cast<std::int64_t>(std::filesystem::file_size("/etc/hostname"))).ok());
}
