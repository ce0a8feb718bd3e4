#pragma once
// The tokenizer of a model's folder: tokenizer.json where there is one, else the files of the time before it, with what
// tokenizer_config.json says about them.

#include <string>

#include "text/parts.h"

namespace braid::text {

/// Whether a folder holds files that read_tokenizer_folder understands.
bool has_tokenizer(const std::string& folder);
/// Throws Error naming the file: what is missing, malformed, or of a class that is not known.
TokenizerParts read_tokenizer_folder(const std::string& folder, const Limits& limits);
/// One file of any of these kinds, by its name and ending.
TokenizerParts read_tokenizer_file(const std::string& path, const Limits& limits);

}  // namespace braid::text
