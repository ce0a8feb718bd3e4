// ERNIE 4.5 (Baidu, 2025), the mixtures: the dense model's attention; softmax routing with a bias that decides who is
// chosen (arXiv:2408.15664), and experts that every token takes.

#include "models/blocks/llama_like.h"

namespace braid {
namespace {

constexpr std::string_view kDefaults = R"({
  "hidden_size": 2560, "num_attention_heads": 20, "num_key_value_heads": 4, "num_hidden_layers": 28,
  "intermediate_size": 12288, "vocab_size": 103424, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5,
  "hidden_act": "silu", "tie_word_embeddings": true, "moe_intermediate_size": 1536, "moe_k": 6, "moe_num_experts": 64,
  "moe_num_shared_experts": 2, "moe_layer_start_index": 1, "moe_layer_end_index": -1, "moe_layer_interval": 1})";

struct Sparse {
  explicit Sparse(const Config& c)
      : experts{.experts = expert_count(c, "moe_num_experts"),
                .routing = {.chosen = c.int_at("moe_k", {1, expert_count(c, "moe_num_experts")}), .renormalise = true},
                .inner = c.size_at("moe_intermediate_size"),
                .activation = c.string_at("hidden_act")},
        shared{.inner = experts.inner * c.int_at("moe_num_shared_experts", {0, 4096}),
               .activation = experts.activation,
               .bias = c.bool_or("use_bias", false)},
        first(c.int_at("moe_layer_start_index")),
        last(c.int_at("moe_layer_end_index")),
        interval(c.size_at("moe_layer_interval")) {}

  bool has(int64_t layer) const {
    return (layer + 1) % interval == 0 && layer >= first && (last == -1 || layer <= last);
  }
  Value operator()(const Scope& m, Value x) const {
    const Value bias = m["moe_statics"].floats("e_score_correction_bias", {1, experts.experts});
    const Value y = mixture(m, x, experts, reshape(bias, {experts.experts}));
    return shared.inner == 0 ? y : y + gated_mlp(m["shared_experts"], x, shared);
  }

  Mixture experts;
  Mlp shared;
  int64_t first, last, interval;
};

}  // namespace

Blueprint ernie4_5_moe_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  LlamaLike c(config, 5e5);
  c.pairs = Pairs::neighbours;
  c.attention.bias = c.attention.output_bias = c.mlp.bias = config.bool_or("use_bias", false);
  c.mixture = [sparse = Sparse(config), mlp = c.mlp](const Scope& s, int64_t layer, Value x) {
    const Scope m = s["mlp"];
    return sparse.has(layer) ? sparse(m, x) : gated_mlp(m, x, mlp);
  };
  return decoder_family(config, llama_like("Ernie4_5_Moe", c));
}

}  // namespace braid
