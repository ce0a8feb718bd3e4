#include "text/normalize/normalizer.h"

#include "text/base/kinds.h"

namespace braid::text {

#define BRAID_KIND(type, make) std::unique_ptr<Normalizer> make(const Json& node, const Limits& limits);
#include "text/normalize/list.inc"
#undef BRAID_KIND

std::unique_ptr<Normalizer> read_normalizer(const Json& node, const Limits& limits) {
  static constexpr Kind<Normalizer> kKinds[] = {
#define BRAID_KIND(type, make) {type, make},
#include "text/normalize/list.inc"
#undef BRAID_KIND
  };
  return read_kind<Normalizer>(node, limits, kKinds, "normalizer");
}

}  // namespace braid::text
