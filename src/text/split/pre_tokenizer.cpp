#include "text/split/pre_tokenizer.h"

#include "text/base/kinds.h"

namespace braid::text {

#define BRAID_KIND(type, make) std::unique_ptr<PreTokenizer> make(const Json& node, const Limits& limits);
#include "text/split/list.inc"
#undef BRAID_KIND

std::unique_ptr<PreTokenizer> read_pre_tokenizer(const Json& node, const Limits& limits) {
  static constexpr Kind<PreTokenizer> kKinds[] = {
#define BRAID_KIND(type, make) {type, make},
#include "text/split/list.inc"
#undef BRAID_KIND
  };
  return read_kind<PreTokenizer>(node, limits, kKinds, "pre-tokenizer");
}

}  // namespace braid::text
