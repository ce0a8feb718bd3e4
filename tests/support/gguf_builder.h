#pragma once
// Raw GGUF files for tests: any metadata and tensors, right or wrong, with any data. Kept apart from the program's own
// writer, so that neither can hide a mistake of the other.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace braid::test {

template <class T>
std::string le(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// A length of eight bytes and the text.
inline std::string gguf_text(std::string_view text) { return le<uint64_t>(text.size()) + std::string(text); }

/// Type numbers of the metadata.
enum GgufTypeId : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };

/// A key, its type and its bytes as they stand.
inline std::string gguf_raw(std::string_view key, uint32_t type, std::string_view bytes) {
  return gguf_text(key) + le<uint32_t>(type) + std::string(bytes);
}
inline std::string gguf_u32(std::string_view key, uint32_t value) { return gguf_raw(key, kU32, le(value)); }
inline std::string gguf_f32(std::string_view key, float value) { return gguf_raw(key, kF32, le(value)); }
inline std::string gguf_flag(std::string_view key, bool value) {
  return gguf_raw(key, kBool, std::string(1, value ? '\1' : '\0'));
}
inline std::string gguf_string(std::string_view key, std::string_view value) {
  return gguf_raw(key, kString, gguf_text(value));
}
inline std::string gguf_strings(std::string_view key, const std::vector<std::string>& values) {
  std::string bytes = le<uint32_t>(kString) + le<uint64_t>(values.size());
  for (const std::string& value : values) bytes += gguf_text(value);
  return gguf_raw(key, kArray, bytes);
}
template <class T>
std::string gguf_numbers(std::string_view key, uint32_t type, const std::vector<T>& values) {
  std::string bytes = le<uint32_t>(type) + le<uint64_t>(values.size());
  for (const T value : values) bytes += le(value);
  return gguf_raw(key, kArray, bytes);
}

/// A tensor's description. `sizes` as in the file: the contiguous dimension first.
inline std::string gguf_tensor(std::string_view name, const std::vector<uint64_t>& sizes, uint32_t type,
                               uint64_t offset) {
  std::string bytes = gguf_text(name) + le<uint32_t>(static_cast<uint32_t>(sizes.size()));
  for (const uint64_t size : sizes) bytes += le(size);
  return bytes + le(type) + le(offset);
}

struct GgufFile {
  std::vector<std::string> values = {}, tensors = {};
  std::string data = {};
  uint32_t version = 3;
  size_t alignment = 32;

  std::string bytes() const {
    std::string file = "GGUF" + le(version) + le<uint64_t>(tensors.size()) + le<uint64_t>(values.size());
    for (const std::string& value : values) file += value;
    for (const std::string& tensor : tensors) file += tensor;
    if (!tensors.empty()) file.resize((file.size() + alignment - 1) / alignment * alignment, '\0');
    return file + data;
  }
};

}  // namespace braid::test
