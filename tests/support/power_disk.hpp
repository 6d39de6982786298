#pragma once
// The disk under SQLite, as a power cut sees it: a VFS over the system's own that keeps every write, truncation and
// directory entry apart until it is synced. At a cut, what was not synced is kept, dropped or torn, sector by sector
// and in any order; what was synced stays.
//
// While one lives it is SQLite's default VFS, so programs open their databases as ever. One at a time, one thread.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace postroom::fakes {

class PowerDisk {
 public:
  // The files of the folder that are there already are taken as synced.
  PowerDisk(std::filesystem::path folder, std::uint64_t seed);
  ~PowerDisk();
  PowerDisk(const PowerDisk&) = delete;
  PowerDisk& operator=(const PowerDisk&) = delete;

  // The power fails during the nth write, truncation, sync, creation or removal from now on. Everything after it fails.
  void cut_at(std::int64_t nth) { remaining_ = nth; }
  void cut();
  bool is_cut() const { return is_cut_; }
  std::int64_t operations() const { return operations_; }

  // Writes what the cut left into an empty folder.
  void leave(const std::filesystem::path& folder) const;

  // How unsynced sectors and entries fare; by default the dice say which at each cut.
  enum class Mood { kept, dropped, mixed };
  void always(Mood mood) { mood_ = static_cast<int>(mood); }

  // --- for the VFS ---
  struct Change {
    std::int64_t offset = 0;
    std::string bytes;
    std::int64_t truncated_to = -1;
  };
  struct Node {
    std::string synced;
    std::vector<Change> unsynced;
  };
  std::shared_ptr<Node> open(const std::string& name, bool may_create);  // null: none of ours
  bool write(Node& node, std::int64_t offset, std::string bytes);        // false: the power is gone
  bool truncate(Node& node, std::int64_t size);
  bool sync(Node& node);
  bool remove(const std::string& name);
  void sync_folder();
  static PowerDisk* current();

 private:
  bool is_powered();
  std::string left_of(const Node& node, Mood mood, std::size_t sector);
  std::string left_of_shared_memory(const std::string& bytes);
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(dice_() % limit); }
  std::string garbage(std::size_t size);

  std::filesystem::path folder_;
  std::mt19937_64 dice_;
  using Entries = std::map<std::string, std::shared_ptr<Node>>;
  Entries entries_, synced_entries_;
  std::map<std::string, std::string> left_;
  int mood_ = -1;
  std::int64_t remaining_ = 0, operations_ = 0;
  bool is_cut_ = false;
};

}  // namespace postroom::fakes
