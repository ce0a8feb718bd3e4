#pragma once
// Read-only maps of files. Touching a page that lies beyond the end of a file that was truncated after it was mapped
// gives zeros and sets `failed()`, instead of the death by SIGBUS that a plain map would give.

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace braid {

class FileMap {
 public:
  /// Maps the whole file. Throws Error naming the path (missing, a directory, no permission, empty files map to no
  /// bytes).
  static std::shared_ptr<FileMap> open(const std::string& path);
  ~FileMap();
  FileMap(const FileMap&) = delete;
  FileMap& operator=(const FileMap&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  const std::string& path() const { return path_; }
  /// Byte offset of the first page that could not be read; nothing while all is well. Callers ask after each piece of
  /// work.
  std::optional<uint64_t> failed() const;
  /// Throws Error("file was truncated while in use") when failed().
  void check() const;
  /// Tells the system that this range is not needed soon (its pages leave the resident set).
  void release(uint64_t offset, uint64_t length) const;
  /// Asks the system to read this range ahead.
  void prefetch(uint64_t offset, uint64_t length) const;

 private:
  FileMap() = default;
  friend struct FileMapRegistry;
  std::string path_;
  void* data_ = nullptr;
  size_t size_ = 0;
  std::atomic<uint64_t> failed_at_{UINT64_MAX};
};

/// Reads a whole file of at most `max_bytes`, else throws an Error, into what room(bytes of the file) returns: that
/// many bytes.
void read_file(const std::string& path, uint64_t max_bytes, const std::function<std::span<char>(size_t)>& room);
/// The same as a string.
std::string read_text_file(const std::string& path, uint64_t max_bytes);

}  // namespace braid
