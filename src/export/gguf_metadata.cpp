#include "export/gguf_metadata.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace braid {
namespace {

class ConfigWriter {
 public:
  ConfigWriter(GgufWriter& out, const GgufArchitecture& row, const Config& config)
      : out_(out), row_(row), config_(config) {}

  void write() {
    out_.text("general.architecture", row_.name);
    for (const GgufKey& key : row_.keys) write(key);
    if (has_key("rope.freq_base")) write_rope();
    if (row_.causal == false) out_.flag(key("attention.causal"), false);
  }

 private:
  std::string key(std::string_view name) const { return std::string(row_.name) + "." + std::string(name); }
  bool has_key(std::string_view gguf) const {
    return std::ranges::find(row_.keys, gguf, &GgufKey::gguf) != row_.keys.end();
  }

  /// What configs leave out, because it follows from other keys.
  std::optional<int64_t> implied(std::string_view gguf) const {
    const auto of = [&](std::string_view other) {
      return config_.size_at(std::ranges::find(row_.keys, other, &GgufKey::gguf)->config);
    };
    if (gguf == "attention.head_count_kv") return of("attention.head_count");
    if (gguf == "attention.key_length") return of("embedding_length") / of("attention.head_count");
    if (gguf == "feed_forward_length" && row_.default_inner > 0) return row_.default_inner * of("embedding_length");
    return std::nullopt;
  }

  void write(const GgufKey& k) {
    if (k.gguf == "rope.freq_base" || k.gguf == "rope.freq_base_swa") return;
    if (k.real) {
      if (config_.has(k.config))
        out_.real(key(k.gguf), static_cast<float>(config_.real_at(k.config)));
      else if (k.gguf.find("epsilon") != std::string_view::npos)
        config_.fail(k.config, "GGUF needs this field");
      return;
    }
    const std::optional<int64_t> value =
        config_.has(k.config) ? std::optional(config_.int_at(k.config, {0, INT32_MAX})) : implied(k.gguf);
    if (value)
      out_.integer(key(k.gguf), static_cast<uint32_t>(*value));
    else if (k.gguf == "attention.sliding_window" && !row_.special_take_spaces)
      return;
    else if (k.gguf == "attention.sliding_window")
      out_.integer(key(k.gguf), 0);  // Phi-3 says so when there is none
    else if (k.gguf.find('.') == std::string_view::npos)
      config_.fail(k.config, "GGUF needs this field");
    if (value && k.gguf == "attention.key_length")
      out_.integer(key("attention.value_length"), static_cast<uint32_t>(*value));
  }

  void write_rope() {
    const RopeConfig rope = config_.rope(10000, "full_attention");
    out_.real(key("rope.freq_base"), static_cast<float>(rope.theta));
    if (has_key("rope.freq_base_swa")) {
      const double local = config_.has("rope_local_base_freq") ? config_.real_at("rope_local_base_freq")
                                                               : config_.rope(10000, "sliding_attention").theta;
      out_.real(key("rope.freq_base_swa"), static_cast<float>(local));
    }
    const int64_t head_dim = config_.heads_and_dims().head_dim;
    out_.integer(key("rope.dimension_count"),
                 static_cast<uint32_t>(static_cast<double>(head_dim) * rope.partial_rotary_factor));
    const bool linear = rope.type == RopeConfig::Type::linear;
    if (linear || rope.type == RopeConfig::Type::yarn) {
      out_.text(key("rope.scaling.type"), linear ? "linear" : "yarn");
      out_.real(key("rope.scaling.factor"), static_cast<float>(rope.factor));
    }
    if (rope.type == RopeConfig::Type::yarn) {
      out_.integer(key("rope.scaling.original_context_length"), static_cast<uint32_t>(rope.original_max_position));
      if (rope.attention_factor)
        out_.real(key("rope.scaling.yarn_attn_factor"), static_cast<float>(*rope.attention_factor));
      out_.real(key("rope.scaling.yarn_beta_fast"), static_cast<float>(rope.beta_fast));
      out_.real(key("rope.scaling.yarn_beta_slow"), static_cast<float>(rope.beta_slow));
    }
    if (rope.type == RopeConfig::Type::longrope) {
      const auto longer = static_cast<double>(config_.size_at("max_position_embeddings"));
      const double scale = longer / static_cast<double>(rope.original_max_position);
      const double factor =
          scale <= 1 ? 1 : std::sqrt(1 + std::log(scale) / std::log(static_cast<double>(rope.original_max_position)));
      out_.real(key("rope.scaling.attn_factor"), static_cast<float>(rope.attention_factor.value_or(factor)));
      if (!has_key("rope.scaling.original_context_length"))
        out_.integer(key("rope.scaling.original_context_length"), static_cast<uint32_t>(rope.original_max_position));
    }
  }

  GgufWriter& out_;
  const GgufArchitecture& row_;
  const Config& config_;
};

}  // namespace

void write_gguf_config(GgufWriter& out, const GgufArchitecture& architecture, const Config& config) {
  ConfigWriter(out, architecture, config).write();
}

std::vector<RopeFactors> gguf_rope_factors(const GgufArchitecture& architecture, const Config& config) {
  if (std::ranges::find(architecture.keys, "rope.freq_base", &GgufKey::gguf) == architecture.keys.end()) return {};
  const RopeConfig rope = config.rope(10000, "full_attention");
  const auto floats = [](const std::vector<double>& values) {
    return std::vector<float>(values.begin(), values.end());
  };
  if (rope.type == RopeConfig::Type::longrope)
    return {{"rope_factors_long.weight", floats(rope.long_factor)},
            {"rope_factors_short.weight", floats(rope.short_factor)}};
  if (rope.type != RopeConfig::Type::llama3) return {};
  // Llama 3's stretch of each frequency, by its wavelength in the old context.
  const int64_t pairs = config.heads_and_dims().head_dim / 2;
  RopeFactors factors{"rope_freqs.weight", {}};
  for (int64_t i = 0; i < pairs; ++i) {
    const double frequency = std::pow(rope.theta, -static_cast<double>(i) / static_cast<double>(pairs));
    const double turns = static_cast<double>(rope.original_max_position) * frequency / (2 * std::numbers::pi);
    const double keep =
        std::clamp((turns - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor), 0.0, 1.0);
    factors.values.push_back(static_cast<float>(1 / std::lerp(1 / rope.factor, 1.0, keep)));
  }
  return {factors};
}

}  // namespace braid
