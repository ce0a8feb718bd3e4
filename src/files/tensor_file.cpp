#include "files/tensor_file.h"

#include <cstring>

namespace braid {
namespace {

/// A block of a quantised format begins with its scale, of two bytes.
uint64_t alignment_of(Format format) { return is_quantized(format) ? 2 : info(format).block_bytes; }

}  // namespace

TensorFile::TensorFile(std::shared_ptr<FileMap> map, std::vector<TensorEntry> entries)
    : map_(std::move(map)), buffer_(Buffer::adopt(map_->bytes(), map_)), entries_(std::move(entries)) {
  by_name_.reserve(entries_.size());
  for (size_t i = 0; i < entries_.size(); ++i) by_name_.emplace(entries_[i].name, i);
}

const TensorEntry* TensorFile::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

Tensor TensorFile::tensor(const TensorEntry& entry) const {
  Tensor tensor{entry.shape, entry.format, Layout::row_major, buffer_, entry.offset};
  // The map begins at a page, so the file offset tells the alignment.
  if (entry.offset % alignment_of(entry.format) == 0) return tensor;
  Tensor copy = Tensor::make(entry.shape, entry.format);
  std::memcpy(copy.bytes(), tensor.bytes(), entry.bytes);
  map_->check();
  return copy;
}

}  // namespace braid
