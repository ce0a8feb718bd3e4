#include "models/blocks/mla.h"

#include <cmath>

#include "models/blocks/attention.h"
#include "models/blocks/norm.h"

namespace braid {
namespace {

constexpr double kEpsilon = 1e-6;  // of the inner norms, whatever rms_norm_eps says

/// Yarn sharpens attention through the scores' scale as well.
double score_scale(const RopeConfig& rope, int64_t head_dim) {
  const double mscale =
      rope.mscale_all_dim && rope.factor > 1 ? 0.1 * *rope.mscale_all_dim * std::log(rope.factor) + 1 : 1;
  return mscale * mscale / std::sqrt(static_cast<double>(head_dim));
}

/// x (tokens, heads, K) times a matrix (heads, N, K) per head → (tokens, heads, N).
Value each_head(Value x, Value matrices) { return transpose(contract(transpose(x, {1, 0, 2}), matrices), {1, 0, 2}); }

/// q (tokens, heads, latent + turned) over the latents (tokens, latent + turned) of this step and of earlier ones.
Value attend_latents(const Scope& a, const Step& t, Value q, Value latent, const AttendLatent& how) {
  const Within here(a);
  const EntryOptions& o = t.options();
  if (!o.stateful) return attend_latent(q, latent, t.span_start(), {}, how).y;
  const Value state = t.builder().state(
      a.path() + ".latent", {.shape = {Symbol::pages, latent.dim(1), o.page_size}, .format = o.cache}, Lifetime::token);
  const AttendedLatent attended = attend_latent(
      q, latent, t.span_start(), {.state = state, .context = t.context(), .page_table = t.page_table()}, how);
  t.builder().state_result(state, attended.state);
  return attended.y;
}

}  // namespace

Mla::Mla(const Config& c, const RopeConfig& rope)
    : width(c.size_at("hidden_size")),
      heads(c.size_at("num_attention_heads")),
      query_rank(c.int_or("q_lora_rank", 0, {0, kSizeRange.most})),
      latent(c.size_at("kv_lora_rank")),
      plain(c.size_at("qk_nope_head_dim")),
      turned(c.size_at("qk_rope_head_dim")),
      value(c.size_at("v_head_dim")),
      scale(score_scale(rope, plain + turned)),
      bias(c.bool_or("attention_bias", false)) {}

Value latent_attention(const Scope& a, const Step& t, Value x, const Mla& how, const Rotary& rotary) {
  const Within here(a);
  const int64_t query = how.heads * (how.plain + how.turned), kept = how.latent + how.turned;
  const auto lowered = [&] {
    return rms_norm(a["q_a_layernorm"], a.project("q_a_proj", x, how.query_rank, how.bias), kEpsilon);
  };
  const Value q =
      split_heads(how.query_rank > 0 ? a.project("q_b_proj", lowered(), query) : a.project("q_proj", x, query),
                  how.plain + how.turned);
  const Value turned = rotary(slice(q, 2, how.plain, how.plain + how.turned), t.positions());

  const Value both = a.project("kv_a_proj_with_mqa", x, kept, how.bias);
  const Value key = rotary(split_heads(slice(both, 1, how.latent, kept), how.turned), t.positions());
  const Value row[] = {rms_norm(a["kv_a_layernorm"], slice(both, 1, 0, how.latent), kEpsilon), merge_heads(key)};

  // kv_b_proj makes a head's plain key, then its value, of a latent: (heads, plain + value, latent).
  const Value matrices = reshape(a["kv_b_proj"].floats("weight", {how.heads * (how.plain + how.value), how.latent}),
                                 {how.heads, how.plain + how.value, how.latent});
  const Value to_latent = transpose(slice(matrices, 1, 0, how.plain), {0, 2, 1});  // (heads, latent, plain)
  const Value from_latent = slice(matrices, 1, how.plain, how.plain + how.value);  // (heads, value, latent)
  const Value query_parts[] = {each_head(slice(q, 2, 0, how.plain), to_latent), turned};
  const Value y = attend_latents(a, t, concat(query_parts, 2), concat(row, 1),
                                 {.scale = how.scale, .value_width = how.latent});  // (tokens, heads, latent)
  return a.project("o_proj", merge_heads(each_head(y, from_latent)), how.width, how.bias);
}

}  // namespace braid
