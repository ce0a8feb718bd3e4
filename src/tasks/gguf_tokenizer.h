#pragma once
// The tokenizer and the chat template of a GGUF file.

#include <string>

#include "files/gguf.h"
#include "text/tokenizer.h"

namespace braid {

/// Throws Error naming the metadata key and the token that is wrong; a file without a vocabulary has no tokenizer.
Tokenizer gguf_tokenizer(const GgufMetadata& metadata, const Limits& limits = {});
/// Whether the file holds a vocabulary.
bool has_gguf_tokenizer(const GgufMetadata& metadata);

}  // namespace braid
