// Any bytes as a GGUF file: refused with an Error, or every tensor lies in the file and fills its shape. What was
// accepted is then read as a config and as a vocabulary, which must end in an Error or in numbers.

#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "files/gguf_architectures.h"
#include "tasks/gguf_tokenizer.h"

namespace {

using namespace braid;

void check(const TensorEntry& entry, size_t size) {
  uint64_t bytes = info(entry.format).block_bytes;
  for (size_t i = 0; i + 1 < entry.shape.size(); ++i) bytes *= static_cast<uint64_t>(entry.shape[i]);
  if (!entry.shape.empty())
    bytes = bytes * static_cast<uint64_t>(entry.shape.back()) / info(entry.format).block_elements;
  if (entry.bytes > size || entry.offset > size - entry.bytes || bytes != entry.bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
  Limits limits;
  limits.max_vocabulary = 4096;
  std::optional<GgufHeader> header;
  try {
    header = GgufHeader::parse(file, "fuzz.gguf", nullptr, limits);
  } catch (const Error& error) {
    if (error.place().offset.value_or(0) > size) std::abort();
    return 0;
  }
  for (const TensorEntry& entry : header->entries) check(entry, size);
  try {
    gguf_config(header->metadata, {}, limits);
  } catch (const Error&) {
  }
  try {
    const Tokenizer tokenizer = gguf_tokenizer(header->metadata, limits);
    tokenizer.decode(tokenizer.encode("Hello  wörld 123 <s>\n").ids);
  } catch (const Error&) {
  }
  return 0;
}
