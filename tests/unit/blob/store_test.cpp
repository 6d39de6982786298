// The blob store on a real folder: what is kept, what is found, and what never appears.

#include "common/blob/store.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "common/blob/batch.hpp"
#include "common/crypto/crypto.hpp"
#include "tests/support/scratch.hpp"

using namespace postroom;
using namespace postroom::blob;

// Every flush of this program goes through here and is noted.
namespace {
std::vector<std::string> flushed;  // paths, as they were called at that moment

void note_flush(int file) {
  std::array<char, 4096> path{};
  const auto size = ::readlink(fmt::format("/proc/self/fd/{}", file).c_str(), path.data(), path.size());
  flushed.emplace_back(path.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}
}  // namespace
extern "C" {
int fsync(int file) {
  note_flush(file);
  return static_cast<int>(::syscall(SYS_fsync, file));
}
int syncfs(int file) noexcept {
  note_flush(file);
  return static_cast<int>(::syscall(SYS_syncfs, file));
}
}

namespace {

constexpr std::int64_t plenty = 1 << 20;

struct House {
  fakes::ScratchFolder scratch;
  std::filesystem::path folder = scratch.path() / "blobs";
  Store store = [this] {
    auto opened = Store::open(folder);
    REQUIRE(opened.ok());
    return std::move(*opened);
  }();

  std::size_t draft_count() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{folder / "new"}) ++count;
    return count;
  }
  Ref keep(std::string_view bytes) {
    Batch batch{store};
    auto ref = batch.add(bytes);
    REQUIRE(ref.ok());
    REQUIRE(batch.commit().ok());
    return *ref;
  }
};

Code code_of(const Result<std::string>& read) {
  REQUIRE_FALSE(read.ok());
  return read.error().code();
}

}  // namespace

TEST_CASE("what is committed is found by its digest, whole, in files that others cannot read") {
  House house;
  const Ref ref = house.keep("Subject: hello\r\n\r\nbody");
  CHECK(ref.sha256 == crypto::to_hex(crypto::sha256("Subject: hello\r\n\r\nbody")));
  CHECK(ref.size == 22);
  CHECK(house.store.has(ref));
  CHECK(*house.store.read(ref, plenty) == "Subject: hello\r\n\r\nbody");
  CHECK(house.store.file_of(ref.sha256) == house.folder / ref.sha256.substr(0, 2) / ref.sha256);
  struct stat facts {};
  REQUIRE(::stat(house.store.file_of(ref.sha256).c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  CHECK(house.draft_count() == 0);
  CHECK(*Store::for_reading(house.folder).read(ref, plenty) == "Subject: hello\r\n\r\nbody");
}

TEST_CASE("a batch is kept as a whole, few or many, with the empty blob among them") {
  for (const int count : {1, 3, 50}) {
    CAPTURE(count);
    House house;
    Batch batch{house.store};
    std::vector<Ref> refs;
    for (int i = 0; i < count; ++i) {
      auto ref = batch.add(std::string(static_cast<std::size_t>(i), 'x'));
      REQUIRE(ref.ok());
      refs.push_back(*ref);
      CHECK_FALSE(house.store.has(*ref));  // no name before the commit
    }
    CHECK(batch.size() == static_cast<std::size_t>(count));
    REQUIRE(batch.commit().ok());
    for (int i = 0; i < count; ++i)
      CHECK(*house.store.read(refs[static_cast<std::size_t>(i)], plenty) == std::string(static_cast<std::size_t>(i), 'x'));
    CHECK(house.draft_count() == 0);
    CHECK(batch.commit().ok());  // nothing left to do
  }
}

TEST_CASE("a blob's bytes are on the disk before its name, and its name before it is told of") {
  House house;
  flushed.clear();
  const Ref ref = house.keep("a mail");
  REQUIRE(flushed.size() == 2);
  CHECK(flushed[0].starts_with((house.folder / "new/").string()));
  CHECK(flushed[1] == house.store.file_of(ref.sha256).parent_path().string());

  flushed.clear();
  Batch many{house.store};
  for (int i = 0; i < 20; ++i) REQUIRE(many.add(fmt::format("mail {}", i)).ok());
  REQUIRE(many.commit().ok());
  CHECK(flushed == std::vector<std::string>{house.folder.string(), house.folder.string()});  // the whole file system, before and after the names
}

TEST_CASE("batches of many are committed together") {
  House house;
  Batch first{house.store};
  Batch second{house.store};
  Batch empty{house.store};
  const auto a = first.add("a");
  const auto b = second.add("b");
  const auto again = second.add("a");
  Batch* const all[] = {&empty, &first, &second};
  REQUIRE(Batch::commit_together(all).ok());
  CHECK(*a == *again);
  CHECK(*house.store.read(*a, plenty) == "a");
  CHECK(*house.store.read(*b, plenty) == "b");
}

TEST_CASE("a blob is written in pieces, and what is left unfinished or uncommitted leaves no trace") {
  House house;
  {
    auto writer = Writer::begin(house.store);
    REQUIRE(writer.ok());
    CHECK(writer->add("half ").ok());
    CHECK(writer->add("").ok());
    CHECK(writer->byte_count() == 5);
    CHECK(house.draft_count() == 1);
  }
  CHECK(house.draft_count() == 0);
  auto writer = Writer::begin(house.store);
  REQUIRE(writer.ok());
  CHECK(writer->add("half ").ok());
  CHECK(writer->add("and half").ok());
  auto draft = writer->finish();
  REQUIRE(draft.ok());
  CHECK(draft->ref().size == 13);
  const Ref ref = draft->ref();
  {
    Batch abandoned{house.store};
    abandoned.add(std::move(*draft));
    CHECK(house.draft_count() == 1);
  }
  CHECK(house.draft_count() == 0);
  CHECK_FALSE(house.store.has(ref));
}

TEST_CASE("the same bytes once more make the blob young again, and heal it") {
  House house;
  const Ref ref = house.keep("precious");
  const auto file = house.store.file_of(ref.sha256);
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours{24 * 30};
  std::ofstream{file} << "PRECIOUS";
  std::filesystem::last_write_time(file, old);
  CHECK(house.keep("precious") == ref);
  CHECK(std::filesystem::last_write_time(file) > old + std::chrono::hours{1});
  CHECK(*house.store.read(ref, plenty) == "precious");
}

TEST_CASE("damage is told, not handed on") {
  House house;
  const Ref ref = house.keep("precious");
  const auto file = house.store.file_of(ref.sha256);
  std::ofstream{file} << "PRECIOUS";
  CHECK(code_of(house.store.read(ref, plenty)) == Code::io);
  CHECK(house.store.read(ref, plenty).error().what().find("not what its name says (other bytes)") != std::string::npos);
  std::ofstream{file} << "longer than it was";
  CHECK(code_of(house.store.read(ref, plenty)) == Code::io);
  CHECK_FALSE(house.store.has(ref));
  std::filesystem::remove(file);
  CHECK(code_of(house.store.read(ref, plenty)) == Code::not_found);
}

TEST_CASE("a reference that is none leads nowhere") {
  House house;
  house.keep("x");
  std::ofstream{house.folder / "secret"} << "s";
  for (const char* wrong : {"", "../secret", "..", "ABCDEF", "/etc/passwd"}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_sha256(wrong));
    CHECK(code_of(house.store.read({wrong, 1}, plenty)) == Code::bad_message);
  }
  const std::string almost(63, 'a');
  CHECK(is_sha256(almost + "a"));
  CHECK_FALSE(is_sha256(almost + "A"));
  CHECK_FALSE(is_sha256(almost + "/"));
  const Ref large = house.keep(std::string(1000, 'x'));
  CHECK(code_of(house.store.read(large, 999)) == Code::bad_message);
  CHECK(code_of(Store::for_reading(house.folder / "missing").read(large, plenty)) == Code::not_found);
}

TEST_CASE("a stream may be left, and is checked at its end") {
  House house;
  const Ref ref = house.keep(std::string(200'000, 'x'));
  std::size_t seen = 0;
  REQUIRE(house.store.stream(ref, [&](std::string_view part) {
    seen += part.size();
    return true;
  }).ok());
  CHECK(seen == 200'000);
  int parts = 0;
  CHECK(house.store.stream(ref, [&](std::string_view) { return ++parts < 2; }).ok());
  CHECK(parts == 2);
}

TEST_CASE("drafts of processes that died are removed when they are old, and not before") {
  House house;
  const auto old = house.folder / "new" / "1-1";
  const auto young = house.folder / "new" / "1-2";
  std::ofstream{old} << "left";
  std::ofstream{young} << "being written";
  std::filesystem::last_write_time(old, std::filesystem::file_time_type::clock::now() - std::chrono::hours{2});
  REQUIRE(Store::open(house.folder).ok());
  CHECK_FALSE(std::filesystem::exists(old));
  CHECK(std::filesystem::exists(young));
}

TEST_CASE("a disk that takes nothing is an error, and nothing is told of") {
  House house;
  Batch batch{house.store};
  const auto ref = batch.add("lost");
  REQUIRE(ref.ok());
  std::filesystem::remove_all(house.folder / ref->sha256.substr(0, 2));
  const auto committed = batch.commit();
  REQUIRE_FALSE(committed.ok());
  CHECK(committed.error().code() == Code::io);
  CHECK(house.draft_count() == 0);
  CHECK_FALSE(Store::open(house.scratch.path() / "a" / "b").ok());  // the home itself must be there
}
