#include "models/blocks/mixture.h"

namespace braid {

Value mixture(const Scope& s, Value x, const Mixture& how) {
  const Within here(s);
  const auto [experts, weights] =
      route(s.project("gate", x, how.experts), {}, {.chosen = how.chosen, .renormalise = how.renormalise});
  const Dim tokens = x.dim(0), width = x.dim(1), rows = tokens * how.chosen;
  const Group g = group(reshape(experts, {rows}), how.experts);

  const auto each_expert = [&](std::string_view name, Value rows_by_expert, Dim size) {
    std::vector<Value> matrices;
    for (int64_t e = 0; e < how.experts; ++e)
      matrices.push_back(s["experts"][e][name].weight({size, rows_by_expert.dim(-1)}));
    return contract_grouped(rows_by_expert, g.offsets, matrices);
  };
  // Row r of the flattened choices is choice r % chosen of token r / chosen.
  const int32_t chosen = static_cast<int32_t>(how.chosen);
  const Value token_of = div(g.order, x.builder->constant(Tensor::of({}, std::span(&chosen, 1))));
  const Value sorted = gather(x, token_of);  // (rows, width)
  const Value inner =
      activation(how.activation, each_expert(how.gate, sorted, how.inner)) * each_expert(how.up, sorted, how.inner);
  const Value y = gather(each_expert(how.down, inner, width), g.inverse);
  return reduce_sum(reshape(y, {tokens, how.chosen, width}) * reshape(weights, {tokens, how.chosen, 1}), 1);
}

}  // namespace braid
