// Switch Transformers (arXiv:2101.03961): T5 whose every second MLP is a mixture of which a token takes one expert.

#include "models/blocks/t5.h"
#include "models/family.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "d_model": 768, "num_layers": 12, "num_heads": 12, "num_experts": 8, "num_sparse_encoder_layers": 3,
  "num_sparse_decoder_layers": 3, "expert_capacity": 64})";

/// Every how many layers an MLP is a mixture; 0: none is. A count of 0 makes a step of all layers in transformers too,
/// where the second layer is one.
int64_t sparse_step(const Config& c, std::string_view key, std::string_view count_key, int64_t layers) {
  const int64_t count = c.int_at(count_key, {.least = 0, .most = layers});
  return c.int_or(key, count == 0 ? layers : layers / count, {.least = 0, .most = layers});
}

struct Switch {
  explicit Switch(const Config& c)
      : sizes(c),
        experts(expert_count(c, "num_experts")),
        encoder_step(sparse_step(c, "encoder_sparse_step", "num_sparse_encoder_layers", sizes.encoder_layers)),
        decoder_step(sparse_step(c, "decoder_sparse_step", "num_sparse_decoder_layers", sizes.decoder_layers)),
        capacity(c.int_at("expert_capacity", {.least = 0, .most = kSizeRange.most})),
        router_bias(c.bool_or("router_bias", false)) {}

  bool sparse(bool decoder, int64_t layer) const {
    const int64_t step = decoder ? decoder_step : encoder_step;
    return step > 0 && (layer % step == 1 || step == 1);
  }

  T5Sizes sizes;
  int64_t experts, encoder_step, decoder_step;
  int64_t capacity;  ///< tokens of a sequence that an expert takes
  bool router_bias;
};

/// 1 for each token whose expert has room when it comes, else 0: experts (tokens, 1) i32 → (tokens, 1) f32.
Value has_room(const Switch& c, const Step& t, Value experts) {
  Builder body;  // a token at a time: how many each expert had before
  const Type row{{Dim(c.experts)}, Format::f32, {}};
  const Value had = body.input("had", row), mine = body.input("mine", row);
  body.output("has", had + mine);
  body.output("before", reduce_sum(had * mine, 0));
  Builder& b = t.builder();
  std::vector<float> identity(static_cast<size_t>(c.experts * c.experts));
  for (int64_t e = 0; e < c.experts; ++e) identity[static_cast<size_t>(e * (c.experts + 1))] = 1;
  const Value table = b.constant(Tensor::of({c.experts, c.experts}, std::span<const float>(identity)));
  const Value one_hot = gather(table, reshape(experts, {experts.dim(0)}));  // (tokens, experts)
  const ScanOperands operands{
      .pools = {}, .slots = {}, .context = {}, .span_start = t.span_start(), .rows = {one_hot}, .shared = {}};
  const Value before = scan(b, operands, std::make_shared<Graph>(body.finish()), 1).rows[0];
  const Value room = b.scalar(static_cast<double>(c.capacity)) - before;  // counts are exact
  return reshape(minimum(maximum(room, b.scalar(0)), b.scalar(1)), {experts.dim(0), 1});
}

/// Each token's one expert, times the router's probability of it. An encoder's expert takes so many tokens of a
/// sequence and leaves the others as they are. A decoder's takes all, as in transformers' cached generation, where a
/// step is one token: the capacity must not depend on how a text is cut into steps.
Value mixture(const Scope& s, const Switch& c, Value x, const T5Place& at) {
  const Within here(s);
  const Value logits = s["router"].project("classifier", x, c.experts, c.router_bias);
  Routed routed = route(logits, {}, {.chosen = 1});
  const int64_t longest = at.t.options().source_tokens;  // 0: not known
  const bool may_overflow = longest == 0 || longest > c.capacity;
  if (!at.decoder && may_overflow) routed.weights = routed.weights * has_room(c, at.t, routed.experts);
  const Dispatch tokens(x, routed, c.experts);
  const auto matrices = [&](std::string_view name, int64_t rows, int64_t columns) {
    std::vector<Value> all;
    for (int64_t e = 0; e < c.experts; ++e)
      all.push_back(s["experts"]["expert_" + std::to_string(e)][name].weight({rows, columns}));
    return all;
  };
  const Value inner = tokens.product(tokens.rows(), matrices("wi", c.sizes.inner, c.sizes.width));
  return tokens.combine(
      tokens.product(activation(c.sizes.activation, inner), matrices("wo", c.sizes.width, c.sizes.inner)));
}

}  // namespace

Blueprint switch_transformers_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const Switch c(config);
  const auto mlp = [c](const Scope& s, Value x, const T5Place& at) {
    return c.sparse(at.decoder, at.layer) ? mixture(s["mlp"], c, x, at) : t5_dense(s["mlp"], c.sizes, x);
  };
  return t5_like(config, c.sizes, {.name = "SwitchTransformers", .mlp = mlp});
}

}  // namespace braid
