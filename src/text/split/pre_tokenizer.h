#pragma once
// Pre-tokenisers cut the normalised text into words, which the model sees one by one. One file per kind, one line in
// list.inc.

#include <memory>

#include "core/json.h"
#include "text/base/pre_tokenized.h"

namespace braid::text {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(PreTokenized& text) const = 0;
};

/// The pre-tokeniser that a node of tokenizer.json describes. Throws Error naming the kind for unknown ones.
std::unique_ptr<PreTokenizer> read_pre_tokenizer(const Json& node, const Limits& limits);

}  // namespace braid::text
