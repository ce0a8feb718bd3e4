#include "core/file_map.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "core/error.h"

namespace braid {
namespace {

size_t page_size() {
  static const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

size_t round_up(size_t n) { return (n + page_size() - 1) / page_size() * page_size(); }

/// A place in the list of live maps. Entries are reused and never freed, so that the signal handler may walk the list
/// at any moment without a lock.
struct Entry {
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};  // 0: the entry is free or being filled
  std::atomic<FileMap*> map{nullptr};
  std::atomic<bool> taken{false};
  Entry* next = nullptr;
};

std::string reason() { return std::strerror(errno); }

struct FileDescriptor {
  explicit FileDescriptor(int fd) : fd(fd) {}
  ~FileDescriptor() {
    if (fd >= 0) close(fd);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  const int fd;
};

/// Opens a regular file; its size in `size`.
int open_regular(const std::string& path, size_t& size) {
  // O_NONBLOCK: opening a pipe must not wait for its writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw Error("cannot open the file: " + reason(), {path, {}, {}});
  struct stat status;
  std::string problem;
  if (fstat(fd, &status) != 0) {
    problem = "cannot read the file's size: " + reason();
  } else if (S_ISDIR(status.st_mode)) {
    problem = "expected a file, found a folder";
  } else if (!S_ISREG(status.st_mode)) {
    problem = "expected a regular file";
  }
  if (!problem.empty()) {
    close(fd);
    throw Error(problem, {path, {}, {}});
  }
  size = static_cast<size_t>(status.st_size);
  return fd;
}

}  // namespace

/// The list of live maps and the signal handler that consults it. A signal handler can reach nothing but statics: these
/// are the only ones, and are behind this struct.
struct FileMapRegistry {
  static inline std::atomic<Entry*> head{nullptr};
  static inline struct sigaction previous {};

  static void add(FileMap* map) {
    static std::once_flag installed;
    std::call_once(installed, install);
    Entry* entry = head.load(std::memory_order_acquire);
    for (; entry; entry = entry->next)
      if (bool free = false; entry->taken.compare_exchange_strong(free, true)) break;
    if (!entry) {
      entry = new Entry;
      entry->taken = true;
      entry->next = head.load(std::memory_order_relaxed);
      while (!head.compare_exchange_weak(entry->next, entry, std::memory_order_acq_rel)) {
      }
    }
    const auto begin = reinterpret_cast<uintptr_t>(map->data_);
    entry->map = map;
    entry->begin = begin;
    entry->end = begin + round_up(map->size_);
  }

  static void remove(FileMap* map) {
    for (Entry* entry = head.load(std::memory_order_acquire); entry; entry = entry->next) {
      if (entry->map != map) continue;
      entry->end = 0;
      entry->map = nullptr;
      entry->taken = false;
      return;
    }
  }

  /// The system call itself: the C library's mmap may be wrapped by a sanitizer, which takes it for a write to these
  /// pages.
  static bool put_zeros(uintptr_t begin, size_t length) {
    const long data = syscall(SYS_mmap, begin, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return static_cast<uintptr_t>(data) == begin;
  }

  /// Puts zero pages where the file can no longer be read. True when the address belongs to a map.
  static bool mend(uintptr_t address) {
    for (Entry* entry = head.load(std::memory_order_acquire); entry; entry = entry->next) {
      const uintptr_t end = entry->end, begin = entry->begin;
      if (address < begin || address >= end) continue;
      FileMap* map = entry->map;
      if (!map) return false;
      const uintptr_t page = address / page_size() * page_size();
      // A page at a time, for the others may be sound; all of the rest when the system allows no more separate ranges.
      if (!put_zeros(page, page_size()) && !put_zeros(page, end - page)) return false;
      const uint64_t offset = page - begin;
      uint64_t known = map->failed_at_.load();
      while (offset < known && !map->failed_at_.compare_exchange_weak(known, offset)) {
      }
      return true;
    }
    return false;
  }

  static void handle(int signal, siginfo_t* info, void* context) {
    const int saved = errno;
    const bool mended = mend(reinterpret_cast<uintptr_t>(info->si_addr));
    errno = saved;
    if (mended) return;
    if ((previous.sa_flags & SA_SIGINFO) && previous.sa_sigaction) return previous.sa_sigaction(signal, info, context);
    if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) return previous.sa_handler(signal);
    // Not ours and nobody else's: the access is repeated on return and ends the process the way it would have without
    // us.
    ::signal(signal, SIG_DFL);
  }

  static void install() {
    page_size();  // computed before the handler needs it
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous);
  }
};

std::shared_ptr<FileMap> FileMap::open(const std::string& path) {
  size_t size = 0;
  const FileDescriptor file(open_regular(path, size));
  std::shared_ptr<FileMap> map(new FileMap);
  map->path_ = path;
  if (size == 0) return map;
  // One more page of zeros follows the file, so that wide loads at its end never leave the map.
  const size_t length = round_up(size) + page_size();
  void* data = mmap(nullptr, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED)
    throw Error("cannot reserve " + std::to_string(length) + " bytes of address space", {path, {}, {}});
  if (mmap(data, size, PROT_READ, MAP_SHARED | MAP_FIXED, file.fd, 0) == MAP_FAILED) {
    const std::string why = reason();
    munmap(data, length);
    throw Error("cannot map the file: " + why, {path, {}, {}});
  }
  map->data_ = data;
  map->size_ = size;
  FileMapRegistry::add(map.get());
  return map;
}

FileMap::~FileMap() {
  if (!data_) return;
  FileMapRegistry::remove(this);
  munmap(data_, round_up(size_) + page_size());
}

std::optional<uint64_t> FileMap::failed() const {
  const uint64_t offset = failed_at_.load();
  if (offset == UINT64_MAX) return std::nullopt;
  return offset;
}

void FileMap::check() const {
  if (auto offset = failed())
    throw Error("the file was truncated while in use", {path_, {}, offset},
                "restore the file and load the model again");
}

void FileMap::release(uint64_t offset, uint64_t length) const {
  // Inwards: pages shared with a neighbour stay.
  if (offset >= size_) return;
  const size_t end = offset + std::min<uint64_t>(length, size_ - offset);
  const size_t first = round_up(offset), last = end == size_ ? round_up(end) : end / page_size() * page_size();
  if (first < last) madvise(static_cast<std::byte*>(data_) + first, last - first, MADV_DONTNEED);
}

void FileMap::prefetch(uint64_t offset, uint64_t length) const {
  if (offset >= size_) return;
  const size_t end = offset + std::min<uint64_t>(length, size_ - offset);
  const size_t first = offset / page_size() * page_size();
  madvise(static_cast<std::byte*>(data_) + first, end - first, MADV_WILLNEED);
}

void read_file(const std::string& path, uint64_t max_bytes, const std::function<std::span<char>(size_t)>& room) {
  size_t size = 0;
  const FileDescriptor file(open_regular(path, size));
  if (size > max_bytes)
    throw Error("the file has " + std::to_string(size) + " bytes, more than " + std::to_string(max_bytes),
                {path, {}, {}});
  const std::span<char> text = room(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t got = read(file.fd, text.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error("cannot read the file: " + reason(), {path, {}, done});
    if (got == 0) throw Error("the file was truncated while in use", {path, {}, done}, "try again");
    done += static_cast<size_t>(got);
  }
}

std::string read_text_file(const std::string& path, uint64_t max_bytes) {
  std::string text;
  read_file(path, max_bytes, [&](size_t bytes) {
    text.resize(bytes);
    return std::span(text);
  });
  return text;
}

}  // namespace braid
