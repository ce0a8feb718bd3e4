#pragma once
// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434): keys and values of all heads are made from one short
// row per token, and only that row and a rotated key, which all heads share, are kept.

#include "files/config.h"
#include "models/blocks/rotary.h"
#include "models/scope.h"
#include "models/step.h"

namespace braid {

struct Mla {
  /// By the keys of DeepSeek's configs: kv_lora_rank, q_lora_rank, qk_nope_head_dim, qk_rope_head_dim, v_head_dim …
  explicit Mla(const Config& config, const RopeConfig& rope);

  int64_t width, heads;
  int64_t query_rank;     ///< of q_a_proj and q_b_proj; 0: q_proj alone
  int64_t latent;         ///< width of the row that keys and values are made from
  int64_t plain, turned;  ///< elements of a head's query without and with positions
  int64_t value;          ///< elements of a head's value
  double scale;           ///< of the scores
  bool bias;              ///< of q_a_proj, kv_a_proj_with_mqa and o_proj
};
/// x (tokens, width) → (tokens, width). The state is SCOPE.latent, of lifetime token. Queries are taken to the latents
/// and results from them by the halves of kv_b_proj, which are cut and turned in the load graph: no key or value is
/// ever made.
Value latent_attention(const Scope& a, const Step& t, Value x, const Mla& how, const Rotary& rotary);

}  // namespace braid
