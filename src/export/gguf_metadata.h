#pragma once
// config.json → metadata, tokenizer.json → tokenizer.ggml.*.

#include <optional>
#include <string>
#include <vector>

#include "files/gguf_architectures.h"
#include "files/gguf_writer.h"

namespace braid {

/// The keys of the table, rope and special tokens. Throws Error naming a config field that is missing.
void write_gguf_config(GgufWriter& out, const GgufArchitecture& architecture, const Config& config);

/// Factors of the rotary frequencies that are tensors in the file: name and values.
struct RopeFactors {
  std::string name;
  std::vector<float> values;
};
std::vector<RopeFactors> gguf_rope_factors(const GgufArchitecture& architecture, const Config& config);

/// The vocabulary of a tokenizer.json. Returns why the file cannot say it; nothing when it was written.
std::optional<std::string> write_gguf_vocabulary(GgufWriter& out, const std::string& tokenizer_json,
                                                 const Config& config, const Limits& limits = {});

}  // namespace braid
