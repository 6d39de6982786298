#include "tests/support/power_disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

// What is played needs no real disk's patience: in a program with this disk the system's own syncs cost nothing.
extern "C" {
int fsync(int) {
  return 0;
}
int fdatasync(int) {
  return 0;
}
}

namespace postroom::fakes {

namespace {

constexpr const char* vfs_name = "postroom-power";
constexpr const char* shared_memory_end = "-shm";
PowerDisk* the_disk = nullptr;
sqlite3_vfs* system_vfs = nullptr;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void put(std::string& content, std::int64_t offset, std::string_view bytes) {
  const auto at = static_cast<std::size_t>(offset);
  if (content.size() < at + bytes.size()) content.resize(at + bytes.size(), '\0');
  std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(at));
}

// --- one open file: the system's own after ours, in the memory that SQLite gave ---

struct File {
  sqlite3_file base;
  std::shared_ptr<PowerDisk::Node>* node;
};
File* ours(sqlite3_file* file) {
  return reinterpret_cast<File*>(file);
}
sqlite3_file* systems(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File));
}
PowerDisk::Node* node_of(sqlite3_file* file) {
  return ours(file)->node->get();
}

int close_file(sqlite3_file* file) {
  auto* real = systems(file);
  const int closed = real->pMethods == nullptr ? SQLITE_OK : real->pMethods->xClose(real);
  delete ours(file)->node;
  return closed;
}
int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return systems(file)->pMethods->xRead(systems(file), to, size, offset);
}
int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  auto* node = node_of(file);
  if (node != nullptr &&
      !the_disk->write(*node, offset, std::string(static_cast<const char*>(from), static_cast<std::size_t>(size))))
    return SQLITE_IOERR_WRITE;
  return systems(file)->pMethods->xWrite(systems(file), from, size, offset);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  auto* node = node_of(file);
  if (node != nullptr && !the_disk->truncate(*node, size)) return SQLITE_IOERR_TRUNCATE;
  return systems(file)->pMethods->xTruncate(systems(file), size);
}
int sync_file(sqlite3_file* file, int flags) {
  auto* node = node_of(file);
  if (node != nullptr && !the_disk->sync(*node)) return SQLITE_IOERR_FSYNC;
  return systems(file)->pMethods->xSync(systems(file),
                                        flags);  // syncs the folder as well, when it should: see open_folder
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return systems(file)->pMethods->xFileSize(systems(file), size);
}
int lock(sqlite3_file* file, int kind) {
  return systems(file)->pMethods->xLock(systems(file), kind);
}
int unlock(sqlite3_file* file, int kind) {
  return systems(file)->pMethods->xUnlock(systems(file), kind);
}
int check_lock(sqlite3_file* file, int* is_locked) {
  return systems(file)->pMethods->xCheckReservedLock(systems(file), is_locked);
}
int control(sqlite3_file* file, int what, void* with) {
  // Space that is only asked for holds nothing yet.
  if (what == SQLITE_FCNTL_SIZE_HINT || what == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
  return systems(file)->pMethods->xFileControl(systems(file), what, with);
}
int sector_size(sqlite3_file* file) {
  return systems(file)->pMethods->xSectorSize(systems(file));
}
int characteristics(sqlite3_file* file) {
  return systems(file)->pMethods->xDeviceCharacteristics(systems(file));
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
  return systems(file)->pMethods->xShmMap(systems(file), page, size, extend, at);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return systems(file)->pMethods->xShmLock(systems(file), offset, count, flags);
}
void barrier(sqlite3_file* file) {
  systems(file)->pMethods->xShmBarrier(systems(file));
}
int unmap_shared(sqlite3_file* file, int is_deleting) {
  return systems(file)->pMethods->xShmUnmap(systems(file), is_deleting);
}

const sqlite3_io_methods methods = {
    2,           close_file, read_file,    write_file, truncate_file, sync_file,       file_size,
    lock,        unlock,     check_lock,   control,    sector_size,   characteristics, map_shared,
    lock_shared, barrier,    unmap_shared, nullptr,    nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  ours(file)->base.pMethods = nullptr;
  ours(file)->node = new std::shared_ptr<PowerDisk::Node>;
  if (name != nullptr && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0) {
    *ours(file)->node = the_disk->open(name, (flags & SQLITE_OPEN_CREATE) != 0);
    if (the_disk->is_cut()) {
      delete ours(file)->node;
      return SQLITE_CANTOPEN;
    }
  }
  const int opened = system_vfs->xOpen(system_vfs, name, systems(file), flags, flags_out);
  if (opened != SQLITE_OK) {
    delete ours(file)->node;
    return opened;
  }
  ours(file)->base.pMethods = &methods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int is_synced) {
  if (!the_disk->remove(name)) return SQLITE_IOERR_DELETE;
  return system_vfs->xDelete(system_vfs, name, is_synced);
}

// The system's VFS opens a folder for one purpose: to sync it.
using OpenFolder = int (*)(const char*, int*);
OpenFolder systems_open_folder = nullptr;
int open_folder(const char* name, int* descriptor) {
  if (the_disk != nullptr) the_disk->sync_folder();
  return systems_open_folder(name, descriptor);
}

sqlite3_vfs* make_vfs() {
  system_vfs = sqlite3_vfs_find("unix");
  static sqlite3_vfs vfs = *system_vfs;  // what concerns no file's content stays the system's
  vfs.zName = vfs_name;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + system_vfs->szOsFile;
  vfs.pNext = nullptr;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  return &vfs;
}

}  // namespace

PowerDisk* PowerDisk::current() {
  return the_disk;
}

PowerDisk::PowerDisk(std::filesystem::path folder, std::uint64_t seed) : folder_(std::move(folder)), dice_(seed) {
  if (the_disk != nullptr) throw std::logic_error("one disk at a time");
  sqlite3_initialize();
  static sqlite3_vfs* const vfs = make_vfs();
  for (const auto& entry : std::filesystem::directory_iterator{folder_}) {
    const std::string name = entry.path().string();
    if (name.ends_with(shared_memory_end)) continue;
    entries_[name] = std::make_shared<Node>(Node{content_of(entry.path()), {}});
  }
  synced_entries_ = entries_;
  systems_open_folder = reinterpret_cast<OpenFolder>(system_vfs->xGetSystemCall(system_vfs, "openDirectory"));
  if (system_vfs->xSetSystemCall(system_vfs, "openDirectory", reinterpret_cast<sqlite3_syscall_ptr>(open_folder)) !=
      SQLITE_OK) {
    throw std::runtime_error("this SQLite lets nobody see when it syncs a folder");
  }
  the_disk = this;
  sqlite3_vfs_register(vfs, 1);
}

PowerDisk::~PowerDisk() {
  sqlite3_vfs_unregister(sqlite3_vfs_find(vfs_name));
  system_vfs->xSetSystemCall(system_vfs, "openDirectory", nullptr);
  sqlite3_vfs_register(system_vfs, 1);
  the_disk = nullptr;
}

bool PowerDisk::is_powered() {
  if (is_cut_) return false;
  ++operations_;
  if (remaining_ > 0 && --remaining_ == 0) cut();
  return !is_cut_;
}

std::shared_ptr<PowerDisk::Node> PowerDisk::open(const std::string& name, bool may_create) {
  if (const auto found = entries_.find(name); found != entries_.end()) return found->second;
  if (!may_create || is_cut_) return nullptr;
  auto node = std::make_shared<Node>();
  entries_[name] = node;
  (void)is_powered();
  return node;
}

bool PowerDisk::write(Node& node, std::int64_t offset, std::string bytes) {
  if (is_cut_) return false;
  node.unsynced.push_back({offset, std::move(bytes), -1});
  return is_powered();
}

bool PowerDisk::truncate(Node& node, std::int64_t size) {
  if (is_cut_) return false;
  node.unsynced.push_back({0, {}, size});
  return is_powered();
}

bool PowerDisk::sync(Node& node) {
  if (!is_powered()) return false;
  for (const auto& change : node.unsynced) {
    if (change.truncated_to >= 0) {
      node.synced.resize(static_cast<std::size_t>(change.truncated_to), '\0');
    } else {
      put(node.synced, change.offset, change.bytes);
    }
  }
  node.unsynced.clear();
  return true;
}

bool PowerDisk::remove(const std::string& name) {
  if (is_cut_) return false;
  entries_.erase(name);
  return is_powered();
}

void PowerDisk::sync_folder() {
  if (is_powered()) synced_entries_ = entries_;
}

std::string PowerDisk::garbage(std::size_t size) {
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(dice_());
  return bytes;
}

// Each sector holds what some of its writes left, the first ones in their order; the first that is missing may have
// torn.
std::string PowerDisk::left_of(const Node& node, Mood mood, std::size_t sector) {
  std::map<std::size_t, std::size_t> writes, kept;
  const auto each_sector = [&](const Change& change, const auto& visit) {
    for (std::size_t done = 0; done < change.bytes.size();) {
      const auto at = static_cast<std::size_t>(change.offset) + done;
      const std::size_t size = std::min(change.bytes.size() - done, sector - at % sector);
      visit(at, std::string_view{change.bytes}.substr(done, size));
      done += size;
    }
  };
  for (const auto& change : node.unsynced)
    each_sector(change, [&](std::size_t at, std::string_view) { ++writes[at / sector]; });
  for (const auto& [number, count] : writes)
    kept[number] = mood == Mood::kept ? count : mood == Mood::dropped ? 0 : below(count + 1);

  std::string content = node.synced;
  std::map<std::size_t, std::size_t> seen;
  for (const auto& change : node.unsynced) {
    if (change.truncated_to >= 0) {
      if (mood == Mood::kept || (mood == Mood::mixed && below(2) == 0))
        content.resize(static_cast<std::size_t>(change.truncated_to), '\0');
      continue;
    }
    each_sector(change, [&](std::size_t at, std::string_view bytes) {
      const std::size_t number = seen[at / sector]++;
      const std::size_t limit = kept[at / sector];
      if (number < limit) {
        put(content, static_cast<std::int64_t>(at), bytes);
      } else if (number == limit && mood == Mood::mixed && below(4) == 0) {
        const std::string torn =
            below(2) == 0 ? std::string{bytes.substr(0, below(bytes.size()))} : garbage(bytes.size());
        put(content, static_cast<std::int64_t>(at), torn);
      }
    });
  }
  return content;
}

// Shared memory is never synced: each sector is what it was at some time, or nothing, or anything.
std::string PowerDisk::left_of_shared_memory(const std::string& bytes) {
  constexpr std::size_t sector = 512;
  std::string left = bytes;
  for (std::size_t at = 0; at < left.size(); at += sector) {
    const std::size_t size = std::min(sector, left.size() - at);
    const std::size_t fate = below(4);
    if (fate == 0) put(left, static_cast<std::int64_t>(at), std::string(size, '\0'));
    if (fate == 1) put(left, static_cast<std::int64_t>(at), garbage(size));
  }
  if (below(4) == 0) left.resize(below(left.size() + 1));
  return left;
}

void PowerDisk::cut() {
  if (is_cut_) return;
  is_cut_ = true;
  Mood mood = below(5) == 0 ? Mood::kept : below(4) == 0 ? Mood::dropped : Mood::mixed;
  if (mood_ >= 0) mood = static_cast<Mood>(mood_);
  const std::size_t sector = below(2) == 0 ? 512 : 4096;
  Entries left = synced_entries_;
  for (const auto* names : {&entries_, &synced_entries_}) {
    for (const auto& [name, unused] : *names) {
      const auto now = entries_.find(name);
      const auto then = synced_entries_.find(name);
      if (now != entries_.end() && then != synced_entries_.end() && now->second == then->second) continue;
      if (mood == Mood::dropped || (mood == Mood::mixed && below(2) == 0)) continue;
      if (now == entries_.end()) {
        left.erase(name);
      } else {
        left[name] = now->second;
      }
    }
  }
  for (const auto& [name, node] : left)
    left_[std::filesystem::path{name}.filename().string()] = left_of(*node, mood, sector);
  for (const auto& entry : std::filesystem::directory_iterator{folder_}) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(shared_memory_end) && below(3) != 0)
      left_[name] = left_of_shared_memory(content_of(entry.path()));
  }
}

void PowerDisk::leave(const std::filesystem::path& folder) const {
  for (const auto& [name, content] : left_) {
    std::ofstream file{folder / name, std::ios::binary};
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!file.flush()) throw std::runtime_error("cannot write what the cut left");
  }
}

}  // namespace postroom::fakes
