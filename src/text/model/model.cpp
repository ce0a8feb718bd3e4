#include "text/model/model.h"

#include "text/base/kinds.h"

namespace braid::text {

#define BRAID_KIND(type, make) std::unique_ptr<Model> make(const Json& node, const Limits& limits);
#include "text/model/list.inc"
#undef BRAID_KIND

namespace {

/// Files from before the types were written: what the model is shows from its members.
std::string_view guess_type(const Json& node) {
  if (node.find("merges")) return "BPE";
  const Json vocabulary = node.at("vocab");
  if (vocabulary.is_array()) return "Unigram";
  return node.find("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
}

}  // namespace

std::unique_ptr<Model> read_model(const Json& node, const Limits& limits) {
  static constexpr Kind<Model> kKinds[] = {
#define BRAID_KIND(type, make) {type, make},
#include "text/model/list.inc"
#undef BRAID_KIND
  };
  if (node.find("type")) return read_kind<Model>(node, limits, kKinds, "model");
  for (const Kind<Model>& kind : kKinds) {
    if (kind.type == guess_type(node)) return kind.make(node, limits);
  }
  node.fail("the model has no type");
}

}  // namespace braid::text
