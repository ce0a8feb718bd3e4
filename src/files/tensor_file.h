#pragma once
// What the tensor files of all formats have in common: a map, and named tensors in it.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/file_map.h"
#include "core/format.h"
#include "core/tensor.h"

namespace braid {

/// One tensor of a file: where its bytes lie. They fill exactly the shape, and lie inside the file.
struct TensorEntry {
  std::string name;
  Format format = Format::f32;
  std::vector<int64_t> shape;  ///< row-major, the contiguous dimension last; [] is a scalar; a dimension may be 0
  uint64_t offset = 0;         ///< of the first byte in the file
  uint64_t bytes = 0;
};

/// An open file: its map and its entries.
class TensorFile {
 public:
  TensorFile(TensorFile&&) = default;
  TensorFile& operator=(TensorFile&&) = default;
  /// The entries were checked against the map.
  TensorFile(std::shared_ptr<FileMap> map, std::vector<TensorEntry> entries);

  std::span<const TensorEntry> entries() const { return entries_; }
  /// Null when the file has no such tensor.
  const TensorEntry* find(std::string_view name) const;
  /// A view of the map, no copy; a copy when the file does not align the bytes to the element size.
  Tensor tensor(const TensorEntry& entry) const;
  const std::shared_ptr<FileMap>& map() const { return map_; }
  const std::string& path() const { return map_->path(); }

 private:
  std::shared_ptr<FileMap> map_;
  std::shared_ptr<Buffer> buffer_;  // the whole map, shared by the tensors
  std::vector<TensorEntry> entries_;
  std::unordered_map<std::string_view, size_t> by_name_;  // views of the entries' names: not copyable
};

}  // namespace braid
