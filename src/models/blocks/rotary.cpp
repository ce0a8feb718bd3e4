#include "models/blocks/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "core/error.h"

namespace braid {
namespace {

/// θ^(-2i/d) for i < d/2.
std::vector<double> frequencies(double theta, int64_t rotary_dim) {
  std::vector<double> f(static_cast<size_t>(rotary_dim / 2));
  for (size_t i = 0; i < f.size(); ++i)
    f[i] = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(rotary_dim));
  return f;
}

/// Llama 3.1: wavelengths that fit into the old context often enough stay, those that hardly fit are stretched by the
/// factor, and those between are blended.
void stretch_llama3(std::vector<double>& frequencies, const RopeConfig& c) {
  const double old_context = static_cast<double>(c.original_max_position);
  for (double& f : frequencies) {
    const double turns = old_context * f / (2 * std::numbers::pi);  // in the old context
    const double keep = (turns - c.low_freq_factor) / (c.high_freq_factor - c.low_freq_factor);
    f *= std::lerp(1 / c.factor, 1.0, std::clamp(keep, 0.0, 1.0));
  }
}

/// Yarn's ramp: dimensions that turn more than beta_fast times in the old context stay, those that turn less than
/// beta_slow times are stretched by the factor.
void stretch_yarn(std::vector<double>& frequencies, const RopeConfig& c, int64_t rotary_dim) {
  const double d = static_cast<double>(rotary_dim);
  const auto dimension_of = [&](double turns) {
    const double old_context = static_cast<double>(c.original_max_position);
    return d * std::log(old_context / (turns * 2 * std::numbers::pi)) / (2 * std::log(c.theta));
  };
  double low = dimension_of(c.beta_fast), high = dimension_of(c.beta_slow);
  if (c.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, d - 1);
  if (low == high) high += 0.001;  // as transformers does, so that the ramp has a slope
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double stretched = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] *= std::lerp(1.0, 1 / c.factor, stretched);
  }
}

/// What yarn multiplies sines and cosines with: attention grows sharper as the context grows.
double yarn_scale(const RopeConfig& c) {
  const auto scale = [&](double mscale) { return c.factor <= 1 ? 1.0 : 0.1 * mscale * std::log(c.factor) + 1; };
  if (c.attention_factor) return *c.attention_factor;
  if (c.mscale && c.mscale_all_dim) return scale(*c.mscale) / scale(*c.mscale_all_dim);
  return scale(1);
}

/// What longrope multiplies sines and cosines with.
double longrope_scale(const RopeConfig& c) {
  if (c.attention_factor) return *c.attention_factor;
  return c.factor <= 1 ? 1.0
                       : std::sqrt(1 + std::log(c.factor) / std::log(static_cast<double>(c.original_max_position)));
}

Value constant(Builder& b, std::span<const double> frequencies) {
  const std::vector<float> rounded(frequencies.begin(), frequencies.end());
  if (!std::ranges::all_of(rounded, [](float frequency) { return std::isfinite(frequency); }))
    throw Error("the rotary parameters give no finite frequencies", {.file = {}, .field = "rope_theta", .offset = {}});
  return b.constant(Tensor::of({static_cast<int64_t>(rounded.size())}, std::span<const float>(rounded)));
}

/// The frequencies of one of longrope's sets of factors.
Value stretched(Builder& b, std::vector<double> frequencies, std::span<const double> factors, const char* name) {
  if (factors.size() != frequencies.size())
    throw Error("there are " + std::to_string(factors.size()) + " factors for " + std::to_string(frequencies.size()) +
                    " pairs of rotated dimensions",
                {.file = {}, .field = name, .offset = {}});
  for (size_t i = 0; i < factors.size(); ++i) frequencies[i] /= factors[i];
  return constant(b, frequencies);
}

Value longrope(const Step& t, const RopeConfig& c, const std::vector<double>& frequencies) {
  Builder& b = t.builder();
  const auto in_short = [&] { return stretched(b, frequencies, c.short_factor, "short_factor"); };
  const auto in_long = [&] { return stretched(b, frequencies, c.long_factor, "long_factor"); };
  const EntryOptions& o = t.options();
  if (o.stateful) return o.max_pages * o.page_size > c.original_max_position ? in_long() : in_short();
  const Value last = reduce_max(cast(t.positions(), Format::f32), 0, true);  // exact below 2²⁴
  return select(less(last, b.scalar(static_cast<double>(c.original_max_position))), in_short(), in_long());
}

}  // namespace

Rotary::Rotary(const Step& t, const RopeConfig& config, int64_t head_dim, Pairs pairs) {
  how_.interleaved = pairs == Pairs::neighbours;
  how_.rotary_dim = static_cast<int64_t>(static_cast<double>(head_dim) * config.partial_rotary_factor);
  if (how_.rotary_dim < 2 || how_.rotary_dim % 2 != 0)
    throw Error(
        "rotary positions turn pairs: " + std::to_string(how_.rotary_dim) + " dimensions of a head are not even",
        {.file = {}, .field = "head_dim", .offset = {}});
  std::vector<double> f = frequencies(config.theta, how_.rotary_dim);
  switch (config.type) {
    case RopeConfig::Type::standard:
      break;
    case RopeConfig::Type::linear:
      for (double& frequency : f) frequency /= config.factor;
      break;
    case RopeConfig::Type::llama3:
      stretch_llama3(f, config);
      break;
    case RopeConfig::Type::yarn:
      stretch_yarn(f, config, how_.rotary_dim);
      how_.scale = yarn_scale(config);
      break;
    case RopeConfig::Type::longrope:
      how_.scale = longrope_scale(config);
      inverse_frequencies_ = longrope(t, config, f);
      return;
  }
  inverse_frequencies_ = constant(t.builder(), f);
}

}  // namespace braid
