#pragma once
// A file that appears under its name complete or not at all.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace braid {

/// Writes to a temporary name in the same folder; commit() makes it durable and renames it. Without commit() nothing
/// remains.
class AtomicFile {
 public:
  /// Throws Error when the folder cannot be written to.
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what) const;
  std::string path_;
  std::string temporary_;
  int fd_ = -1;
};

}  // namespace braid
