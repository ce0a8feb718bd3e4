#pragma once
// safetensors: eight bytes of header length (little-endian), a JSON header, then the tensors' bytes without gaps up to
// the end of the file. https://github.com/huggingface/safetensors#format

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/file_map.h"
#include "core/format.h"
#include "core/limits.h"
#include "core/tensor.h"

namespace braid {

/// One tensor of a file: where its bytes lie. They fill exactly the shape, and lie inside the file.
struct SafetensorsEntry {
  std::string name;
  Format format = Format::f32;
  std::vector<int64_t> shape;  ///< [] is a scalar; a dimension may be 0
  uint64_t offset = 0;         ///< of the first byte in the file
  uint64_t bytes = 0;
};

/// What the header of a file says, in the order of the header.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
  uint64_t data_offset = 0;  ///< of the first tensor byte in the file

  /// Parses and checks all of a file's bytes: any fault (reliability cases 1–10) throws an Error with the file, the
  /// tensor or field, and the byte offset. Accepted entries tile the data exactly.
  static SafetensorsHeader parse(std::span<const std::byte> file, const std::string& path, const Limits& limits = {});
};

/// An open file: its map and its header.
class SafetensorsFile {
 public:
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;
  static SafetensorsFile open(const std::string& path, const Limits& limits = {});

  std::span<const SafetensorsEntry> entries() const { return header_.entries; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  /// Null when the file has no such tensor.
  const SafetensorsEntry* find(std::string_view name) const;
  /// A view of the map, no copy; a copy when the file does not align the bytes to the element size.
  Tensor tensor(const SafetensorsEntry& entry) const;
  const std::shared_ptr<FileMap>& map() const { return map_; }
  const std::string& path() const { return map_->path(); }

 private:
  SafetensorsFile() = default;  // not copyable: by_name_ refers to the entries
  std::shared_ptr<FileMap> map_;
  std::shared_ptr<Buffer> buffer_;  // the whole map, shared by the tensors
  SafetensorsHeader header_;
  std::unordered_map<std::string_view, size_t> by_name_;  // views of the entries' names
};

/// The format's name of a number format ("BF16"); nothing for those that it does not have.
std::optional<std::string_view> safetensors_dtype(Format format);

/// Writes a file that the reader accepts, atomically: under a temporary name beside it, then renamed. Data begin
/// 64-byte aligned; wide formats go first, so that every tensor is aligned. Throws Error on duplicate names, packed
/// layouts and block formats.
void write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace braid
