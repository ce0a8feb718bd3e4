// Any bytes as a tokenizer.model: an Error, or a tokenizer that encodes and decodes.

#include <cstdint>

#include "core/error.h"
#include "text/readers/sentence_piece.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace braid;
  Limits limits;
  limits.max_vocabulary = 4096;
  try {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Tokenizer tokenizer(
        text::sentence_piece_parts(text::read_sentence_piece(bytes, "fuzz.model", limits), limits));
    tokenizer.decode(tokenizer.encode("Hello  wörld 123 <s>\n").ids);
  } catch (const Error&) {
  }
  return 0;
}
