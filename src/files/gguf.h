#pragma once
// GGUF, the files of llama.cpp: magic, version, counts, typed metadata, descriptions of tensors, then their bytes, each
// tensor at a multiple of the alignment. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
//
// Where that page and llama.cpp differ, the stricter rule holds here: the alignment is a multiple of 8 (the page) and a
// power of two (llama.cpp), arrays of arrays are refused, a bool is 0 or 1, and a tensor begins where the one before it
// ends, rounded up to the alignment. Versions 2 and 3 are read, little-endian only.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "files/tensor_file.h"

namespace braid {

/// One value of the metadata; what it refers to lies in the file's map.
struct GgufValue {
  enum class Type : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };
  Type type = Type::u8;
  Type element = Type::u8;                ///< of an array
  uint64_t count = 1;                     ///< elements of an array
  uint64_t offset = 0;                    ///< of the value's first byte in the file
  std::span<const std::byte> bytes = {};  ///< of a number, of the numbers of an array, or the characters of a string
  std::vector<std::string_view> strings = {};  ///< of an array of strings
};
std::string_view name(GgufValue::Type type);

/// The metadata of a file. Getters throw an Error that names file, key and offset when a value is missing or of another
/// type than asked for: nothing is cast from one kind of number to another.
class GgufMetadata {
 public:
  GgufMetadata(std::string path, std::shared_ptr<const void> owner)
      : path_(std::move(path)), owner_(std::move(owner)) {}

  const GgufValue* find(std::string_view key) const;  ///< null when there is none
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::optional<int64_t> integer(std::string_view key) const;  ///< of any integer type
  std::optional<double> real(std::string_view key) const;      ///< f32 or f64
  std::optional<bool> flag(std::string_view key) const;
  std::optional<std::string_view> text(std::string_view key) const;
  /// Empty when there is none.
  std::span<const std::string_view> strings(std::string_view key) const;
  std::vector<float> floats(std::string_view key) const;
  std::vector<int64_t> integers(std::string_view key) const;
  std::string_view need_text(std::string_view key) const;
  int64_t need_integer(std::string_view key) const;
  [[noreturn]] void fail(std::string_view key, std::string what, std::string advice = {}) const;
  /// Where a value begins in the file, or an element of an array: "KEY" or "KEY[12]". Nothing when there is none.
  std::optional<uint64_t> offset_of(std::string_view field) const;

  const std::string& path() const { return path_; }
  std::span<const std::pair<std::string_view, GgufValue>> all() const { return values_; }  ///< in the file's order
  /// False when the key is there already.
  bool add(std::string_view key, GgufValue value);

 private:
  const GgufValue* array(std::string_view key) const;
  std::string path_;
  std::shared_ptr<const void> owner_;  // of the bytes
  std::vector<std::pair<std::string_view, GgufValue>> values_;
  std::unordered_map<std::string_view, size_t> by_key_;
};

/// A type of tensors, by its number in files.
struct GgufTensorType {
  uint32_t id;
  std::string_view name;    ///< ggml's: "Q4_K"
  uint32_t block_elements;  ///< 0: removed from the format
  uint32_t block_bytes;
  std::optional<Format> format;  ///< nothing where Braid has no such format
};
std::span<const GgufTensorType> gguf_tensor_types();

/// What a file says before its data.
struct GgufHeader {
  GgufMetadata metadata;
  std::vector<TensorEntry> entries;                              ///< of formats that Braid has
  std::vector<std::pair<std::string, std::string_view>> others;  ///< tensors of other types: name, ggml's type

  /// Parses and checks all of a file's bytes: any fault (reliability cases 13–23) throws an Error with the file, the
  /// field or tensor, and the byte offset. `owner` keeps `file` alive for the metadata.
  static GgufHeader parse(std::span<const std::byte> file, const std::string& path, std::shared_ptr<const void> owner,
                          const Limits& limits = {});
};

/// A model in one file or in all of its parts ("NAME-00001-of-00003.gguf"), of which any may be named.
class GgufModel {
 public:
  /// Throws Error: what GgufHeader::parse finds; parts that are missing or belong to different sets; with `weights`,
  /// tensors of formats that Braid does not have, and a tensor that is in two parts.
  static GgufModel open(const std::string& path, bool weights = true, const Limits& limits = {});

  const GgufMetadata& metadata() const { return *metadata_; }  ///< of the first part
  std::shared_ptr<const GgufMetadata> shared_metadata() const { return metadata_; }
  std::vector<TensorFile> take_files() { return std::move(files_); }
  std::span<const TensorFile> files() const { return files_; }

 private:
  GgufModel() = default;
  std::shared_ptr<const GgufMetadata> metadata_;
  std::vector<TensorFile> files_;
};

/// Whether a path names a GGUF file, by its ending.
bool is_gguf(std::string_view path);

}  // namespace braid
