#pragma once
// A checkpoint: the named tensors of a model folder, in one safetensors file or in shards with an index; or those of a
// GGUF file and its parts.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "core/tensor.h"
#include "files/gguf.h"
#include "files/tensor_file.h"

namespace braid {

class Checkpoint {
 public:
  Checkpoint(Checkpoint&&) = default;
  Checkpoint& operator=(Checkpoint&&) = default;

  /// Opens a folder (model.safetensors, or the shards that model.safetensors.index.json names), one .safetensors file
  /// or a .gguf file with its parts. All headers are checked; nothing else is read. Throws Error when the folder has no
  /// safetensors (pickles are never opened), when the index names a file outside the folder, a missing one, or a tensor
  /// that its shard does not have, and when two shards have the same tensor. Tensors that the index leaves out are
  /// found all the same.
  static Checkpoint open(const std::string& path, const Limits& limits = {});

  /// A tensor that views the map, no copy; nothing when there is none of this name.
  std::optional<Tensor> find(std::string_view name) const;
  /// The same; an Error naming the checkpoint and the tensor when it is missing.
  Tensor at(std::string_view name) const;
  /// Name, format, shape and place in its file; null when there is none of this name.
  const TensorEntry* entry(std::string_view name) const;
  bool has(std::string_view name) const { return entry(name) != nullptr; }

  const std::vector<std::string>& names() const { return names_; }  ///< sorted
  const std::string& path() const { return path_; }                 ///< as given to open
  std::span<const TensorFile> files() const { return files_; }
  /// The path of the file that holds a tensor (for messages); the checkpoint's own path when none does.
  const std::string& file_of(std::string_view name) const;
  uint64_t data_bytes() const { return data_bytes_; }  ///< of all tensors
  /// Of a GGUF file; null for safetensors.
  const std::shared_ptr<const GgufMetadata>& gguf() const { return gguf_; }
  /// Throws Error when a file was truncated since it was opened.
  void check() const;

 private:
  Checkpoint() = default;  // not copyable: locations refer to the files
  struct Location {
    size_t file;
    const TensorEntry* entry;  // points into files_[file], whose entries do not move
  };
  const Location* locate(std::string_view name) const;
  void add(TensorFile file);

  std::string path_;
  std::vector<TensorFile> files_;
  std::map<std::string, Location, std::less<>> tensors_;
  std::vector<std::string> names_;
  uint64_t data_bytes_ = 0;
  std::shared_ptr<const GgufMetadata> gguf_;
};

}  // namespace braid
