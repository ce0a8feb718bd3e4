#pragma once
// Raw safetensors files for tests: any header, right or wrong, with any data.

#include <cstdint>
#include <string>
#include <string_view>

namespace braid::test {

/// The 8 bytes of a header length.
inline std::string length_bytes(uint64_t length) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i));
  return bytes;
}

/// Length, header, `data_bytes` bytes of data.
inline std::string raw_safetensors(std::string_view header, size_t data_bytes) {
  std::string file = length_bytes(header.size());
  file += header;
  for (size_t i = 0; i < data_bytes; ++i) file.push_back(static_cast<char>(i));
  return file;
}

/// One header member: "name":{"dtype":…,"shape":…,"data_offsets":[begin,end]}.
inline std::string tensor_json(std::string_view name, std::string_view dtype, std::string_view shape, uint64_t begin,
                               uint64_t end) {
  return "\"" + std::string(name) + "\":{\"dtype\":\"" + std::string(dtype) + "\",\"shape\":" + std::string(shape) +
         ",\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

}  // namespace braid::test
