#pragma once
// Models turn one word into tokens. One file per kind, one line in list.inc.

#include <memory>
#include <vector>

#include "core/json.h"
#include "text/base/pre_tokenized.h"
#include "text/base/vocabulary.h"

namespace braid::text {

/// One word as the pre-tokeniser left it.
struct Word {
  std::string_view text;
  bool bytes = false;  ///< the text stands for its bytes (PreTokenized::byte_level)
};

class Model {
 public:
  /// What a model needs while it works; one per thread, so that a model itself is immutable.
  struct Scratch {
    virtual ~Scratch() = default;
    uint64_t steps = 0;  ///< merges tried, lattice edges: the work done, for tests of its growth
  };

  virtual ~Model() = default;
  virtual std::unique_ptr<Scratch> make_scratch() const { return std::make_unique<Scratch>(); }
  /// Whether it takes words with `bytes` set; else they are spelt out before.
  virtual bool reads_bytes() const { return false; }
  /// Where the part of a word that starts at byte `begin` ends: it has the same tokens alone as within the word. Parts
  /// come again where whole words are whole texts, and are found in a WordCache then.
  virtual size_t part_end(const Word& word, size_t begin) const {
    (void)begin;
    return word.text.size();
  }
  /// Appends the tokens of a non-empty word; `scratch` is this model's.
  virtual void tokenize(const Word& word, Scratch& scratch, std::vector<Token>& tokens) const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  /// What the file asks for and this model does not do, in plain words; empty when all is done.
  virtual std::string note() const { return {}; }
};

/// The model that a node of tokenizer.json describes. Throws Error naming the kind for unknown ones, and the entry for
/// bad vocabularies.
std::unique_ptr<Model> read_model(const Json& node, const Limits& limits);

}  // namespace braid::text
