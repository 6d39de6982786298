/* Counts the calls by which a process asks the disk to keep what was written: loaded before the C library (LD_PRELOAD), it hands every fsync,
 * fdatasync and syncfs on and adds one to the number at the start of FOLDER/PID, where FOLDER is in POSTROOM_BENCH_SYNCS. A process that cannot
 * write there counts nothing. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int (*sync_call)(int);

static _Atomic uint64_t* counter;
static sync_call real_fsync, real_fdatasync, real_syncfs;

static sync_call find(const char* name) {
  union {
    void* object;
    sync_call call;
  } found;
  found.object = dlsym(RTLD_NEXT, name);
  return found.call;
}

__attribute__((constructor)) static void begin(void) {
  real_fsync = find("fsync");
  real_fdatasync = find("fdatasync");
  real_syncfs = find("syncfs");
  const char* folder = getenv("POSTROOM_BENCH_SYNCS");
  char path[512];
  if (folder == NULL || snprintf(path, sizeof path, "%s/%d", folder, (int)getpid()) >= (int)sizeof path) return;
  const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return;
  if (ftruncate(file, sizeof *counter) == 0) {
    void* mapped = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) counter = mapped;
  }
  close(file);
}

static void count(void) {
  if (counter != NULL) atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

int fsync(int file) {
  count();
  return real_fsync(file);
}

int fdatasync(int file) {
  count();
  return real_fdatasync(file);
}

int syncfs(int file) {
  count();
  return real_syncfs(file);
}
