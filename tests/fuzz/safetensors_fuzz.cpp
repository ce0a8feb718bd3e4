// Any bytes as a safetensors file: they are refused with an Error, or every entry lies in the file and fills its shape.

#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "files/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace braid;
  try {
    const auto header = SafetensorsHeader::parse(std::as_bytes(std::span(data, size)), "fuzz.safetensors");
    uint64_t total = 0;
    for (const SafetensorsEntry& entry : header.entries) {
      uint64_t bytes = info(entry.format).block_bytes;
      for (const int64_t n : entry.shape) bytes *= static_cast<uint64_t>(n);
      if (entry.offset < header.data_offset || entry.bytes > size || entry.offset > size - entry.bytes ||
          bytes != entry.bytes)
        std::abort();
      total += bytes;
    }
    if (header.data_offset + total != size) std::abort();
  } catch (const Error& error) {
    if (error.place().offset.value_or(0) > size) std::abort();
  }
  return 0;
}
