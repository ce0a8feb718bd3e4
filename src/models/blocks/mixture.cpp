#include "models/blocks/mixture.h"

#include <algorithm>

namespace braid {

Dispatch::Dispatch(Value x, const Routed& routed, int64_t experts)
    : experts_(reshape(routed.experts, {routed.experts.dim(0) * routed.experts.dim(1).number()})),
      weights_(routed.weights),
      group_(group(experts_, experts)) {
  // Row r of the flattened choices is choice r % chosen of token r / chosen.
  const auto chosen = static_cast<int32_t>(routed.experts.dim(1).number());
  rows_ = gather(x, div(group_.order, x.builder->constant(Tensor::of({}, std::span(&chosen, 1)))));
}

Value Dispatch::product(Value rows, const std::vector<Value>& matrices) const {
  return contract_grouped(rows, group_.offsets, matrices);
}

Value Dispatch::of_expert(Value table) const { return gather(table, gather(experts_, group_.order)); }

Value Dispatch::combine(Value y) const {
  const Dim tokens = weights_.dim(0), chosen = weights_.dim(1);
  const Value by_token = reshape(gather(y, group_.inverse), {tokens, chosen, y.dim(1)});
  return reduce_sum(by_token * reshape(weights_, {tokens, chosen, 1}), 1);
}

Value mixture(const Scope& s, Value x, const Mixture& how, Value bias) {
  const Within here(s);
  const Dispatch to(x, route(s.project(how.router, x, how.experts), bias, how.routing), how.experts);
  const auto each_expert = [&](std::string_view name, Value rows, Dim size) {
    std::vector<Value> matrices;
    for (int64_t e = 0; e < how.experts; ++e) matrices.push_back(s["experts"][e][name].weight({size, rows.dim(-1)}));
    return to.product(rows, matrices);
  };
  const Value gate = activation(how.activation, each_expert(how.gate, to.rows(), how.inner));
  return to.combine(each_expert(how.down, gate * each_expert(how.up, to.rows(), how.inner), x.dim(1)));
}

Value stacked_mixture(const Scope& s, Value x, const Mixture& how) {
  const Within here(s);
  const Dispatch to(x, route(s.project(how.router, x, how.experts), {}, how.routing), how.experts);
  const auto stack = [&](std::string_view name, Dim rows, Dim columns) {
    return matrices_of(s[name].parameter("weight", {how.experts, rows, columns}));
  };
  const Value both = to.product(to.rows(), stack(how.up, 2 * how.inner, x.dim(1)));
  const Value gate = activation(how.activation, slice(both, -1, 0, how.inner));
  const Value inner = gate * slice(both, -1, how.inner, 2 * how.inner);
  return to.combine(to.product(inner, stack(how.down, x.dim(1), how.inner)));
}

std::vector<Value> matrices_of(Value tensor) {
  std::vector<Value> matrices;
  for (int64_t e = 0; e < tensor.dim(0).number(); ++e)
    matrices.push_back(reshape(slice(tensor, 0, e, e + 1), {tensor.dim(1), tensor.dim(2)}));
  return matrices;
}

Value gated_shared_expert(const Scope& s, Value x, const Mlp& how) {
  return sigmoid(s.project("shared_expert_gate", x, 1)) * gated_mlp(s["shared_expert"], x, how);
}

int64_t expert_count(const Config& c, std::string_view key) {
  constexpr int64_t kMost = 4096;
  return c.int_at(key, {1, kMost});
}

Mixture mixture_of(const Config& c, std::string_view inner) {
  const int64_t experts = expert_count(c, c.has("num_local_experts") ? "num_local_experts" : "num_experts");
  return {.experts = experts,
          .routing = {.chosen = c.int_at("num_experts_per_tok", {1, experts}),
                      .renormalise = c.bool_or("norm_topk_prob", false)},
          .inner = c.size_at(inner),
          .activation = c.string_at("hidden_act")};
}

std::vector<bool> sparse_layers(const Config& c, int64_t layers) {
  const int64_t step = c.size_or("decoder_sparse_step", 1);
  const std::vector<int64_t> dense = c.ints_or("mlp_only_layers", {}, {0, layers - 1});
  std::vector<bool> sparse;
  for (int64_t i = 0; i < layers; ++i)
    sparse.push_back((i + 1) % step == 0 && std::ranges::find(dense, i) == dense.end());
  return sparse;
}

}  // namespace braid
