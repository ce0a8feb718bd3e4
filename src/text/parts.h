#pragma once
// The parts of a tokenizer, as readers of its file formats hand them over.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/limits.h"
#include "text/added_tokens.h"
#include "text/decode/decoder.h"
#include "text/lengths.h"
#include "text/model/model.h"
#include "text/normalize/normalizer.h"
#include "text/process/post_processor.h"
#include "text/split/pre_tokenizer.h"

namespace braid::text {

/// All but the model may be missing.
struct TokenizerParts {
  AddedTokens added;
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<PostProcessor> post_processor;
  std::unique_ptr<Decoder> decoder;
  std::optional<Truncation> truncation;  ///< applied where EncodeOptions::lengths asks for it
  std::optional<Padding> padding;
  std::vector<std::string> notes;
  std::string file;  ///< for errors
  Limits limits;
};

/// From the content of a tokenizer.json.
TokenizerParts read_tokenizer_json(const Json& root, std::string file, const Limits& limits);

}  // namespace braid::text
