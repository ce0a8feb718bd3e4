#include "files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace braid {

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".XXXXXX") {
  fd_ = mkostemp(temporary_.data(), O_CLOEXEC);
  if (fd_ < 0) {
    temporary_.clear();
    fail("cannot create the file");
  }
  // mkostemp makes it private; the file gets the mode that any new file would have.
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(fd_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  constexpr size_t kMost = 1u << 30;  // one write() takes at most 2 GB
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd_, bytes.data(), std::min(bytes.size(), kMost));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("cannot write the file");
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
}

void AtomicFile::commit() {
  if (fsync(fd_) != 0) fail("cannot write the file");
  if (close(std::exchange(fd_, -1)) != 0) fail("cannot write the file");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot name the file");
  temporary_.clear();
}

void AtomicFile::fail(const std::string& what) const {
  const int error = errno;
  throw Error(what + ": " + std::strerror(error), {path_, {}, {}}, error == ENOSPC ? "free some disk space" : "");
}

}  // namespace braid
