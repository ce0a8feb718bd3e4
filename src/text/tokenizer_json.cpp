// tokenizer.json (version 1.0 of the `tokenizers` library's format) → parts.

#include "text/base/kinds.h"
#include "text/parts.h"

namespace braid::text {

TokenizerParts read_tokenizer_json(const Json& root, std::string file, const Limits& limits) {
  if (const auto version = optional_member(root, "version"); version && version->as_string() != "1.0") {
    version->fail("version \"" + std::string(version->as_string()) + "\" of the format is unknown",
                  "1.0 is the one there is");
  }
  TokenizerParts parts;
  parts.file = std::move(file);
  parts.limits = limits;
  if (const auto node = optional_member(root, "normalizer")) parts.normalizer = read_normalizer(*node, limits);
  if (const auto node = optional_member(root, "pre_tokenizer")) parts.pre_tokenizer = read_pre_tokenizer(*node, limits);
  parts.model = read_model(root.at("model"), limits);
  if (const auto node = optional_member(root, "post_processor"))
    parts.post_processor = read_post_processor(*node, limits);
  if (const auto node = optional_member(root, "decoder")) parts.decoder = read_decoder(*node, limits);
  if (const auto node = optional_member(root, "added_tokens")) {
    parts.added = AddedTokens::read(*node, parts.model->vocabulary(), parts.normalizer.get(), limits);
  }
  if (std::string note = parts.model->note(); !note.empty()) parts.notes.push_back(std::move(note));
  if (const auto node = optional_member(root, "truncation")) parts.truncation = read_truncation(*node);
  if (const auto node = optional_member(root, "padding")) parts.padding = read_padding(*node, limits);
  return parts;
}

}  // namespace braid::text
