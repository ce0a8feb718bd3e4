#pragma once
// safetensors: eight bytes of header length (little-endian), a JSON header, then the tensors' bytes without gaps up to
// the end of the file. https://github.com/huggingface/safetensors#format

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "core/tensor.h"
#include "files/tensor_file.h"

namespace braid {

using SafetensorsEntry = TensorEntry;

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
class SafetensorsFile : public TensorFile {
 public:
  static SafetensorsFile open(const std::string& path, const Limits& limits = {});
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  SafetensorsFile(std::shared_ptr<FileMap> map, SafetensorsHeader header);
  std::map<std::string, std::string> metadata_;
};

/// The format's name of a number format ("BF16"); nothing for those that it does not have.
std::optional<std::string_view> safetensors_dtype(Format format);

/// Writes a file that the reader accepts, atomically: under a temporary name beside it, then renamed. Data begin
/// 64-byte aligned; wide formats go first, so that every tensor is aligned. Throws Error on duplicate names, packed
/// layouts and block formats.
void write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace braid
