#include <array>
#include <cmath>
#include <utility>

#include "files/config.h"

namespace braid {
namespace {

using Type = RopeConfig::Type;
constexpr std::array<std::pair<std::string_view, Type>, 7> kTypes = {{{"default", Type::standard},
                                                                      {"dynamic", Type::standard},
                                                                      {"linear", Type::linear},
                                                                      {"llama3", Type::llama3},
                                                                      {"yarn", Type::yarn},
                                                                      {"longrope", Type::longrope},
                                                                      {"su", Type::longrope}}};  // Phi-3's first name

/// A member of the scaling parameters; null and absent are the same.
std::optional<Json> member(const Json& parameters, std::string_view key) {
  const auto value = parameters.find(key);
  return value && !value->is_null() ? value : std::nullopt;
}

double positive(const Json& value) {
  const double number = value.as_double();
  if (!std::isfinite(number) || number <= 0) value.fail("the value must be a positive number");
  return number;
}

double positive_or(const Json& parameters, std::string_view key, double otherwise) {
  const auto value = member(parameters, key);
  return value ? positive(*value) : otherwise;
}

std::optional<double> positive_if(const Json& parameters, std::string_view key) {
  const auto value = member(parameters, key);
  return value ? std::optional(positive(*value)) : std::nullopt;
}

std::vector<double> all_positive(const Json& list) {
  if (!list.is_array()) list.fail("expected an array of numbers");
  std::vector<double> numbers;
  for (size_t i = 0; i < list.size(); ++i) numbers.push_back(positive(list[i]));
  return numbers;
}

Type type_of(const Json& parameters) {
  auto name = member(parameters, "rope_type");
  if (!name) name = member(parameters, "type");
  if (!name) return Type::standard;
  std::string known;
  for (const auto& [text, type] : kTypes) {
    if (text == name->as_string()) return type;
    known += " " + std::string(text);
  }
  name->fail("unknown rope type \"" + std::string(name->as_string()) + "\"", "Braid knows" + known);
}

/// The parameters of a scaled rope (every type but the standard one).
void read_scaling(RopeConfig& rope, const Json& parameters, const Config& config) {
  const bool longrope = rope.type == Type::longrope;
  const bool extends = rope.type == Type::llama3 || rope.type == Type::yarn || longrope;
  auto original = member(parameters, "original_max_position_embeddings");
  if (const auto outer = config.find("original_max_position_embeddings"); outer && longrope) original = outer;  // Phi-3
  if (extends) {
    if (original) {
      rope.original_max_position = original->as_int();
      if (rope.original_max_position < 1 || rope.original_max_position > kSizeRange.most)
        original->fail("the context must be positive");
    } else {
      rope.original_max_position = config.size_at("max_position_embeddings");
    }
  }
  if (const auto factor = member(parameters, "factor")) {
    rope.factor = positive(*factor);
  } else if ((rope.type == Type::yarn && original) || longrope) {
    rope.factor = static_cast<double>(config.size_at("max_position_embeddings")) /
                  static_cast<double>(rope.original_max_position);
  } else {
    parameters.fail("the key \"factor\" is missing");
  }
  if (rope.type == Type::llama3) {
    rope.low_freq_factor = positive(parameters.at("low_freq_factor"));
    rope.high_freq_factor = positive(parameters.at("high_freq_factor"));
    if (rope.high_freq_factor <= rope.low_freq_factor)
      parameters.at("high_freq_factor").fail("the value must be above low_freq_factor");
  }
  if (longrope) {
    rope.short_factor = all_positive(parameters.at("short_factor"));
    rope.long_factor = all_positive(parameters.at("long_factor"));
    if (rope.original_max_position < 2)
      parameters.fail("the context before the extension must be of two tokens at least");
  }
  if (extends) rope.attention_factor = positive_if(parameters, "attention_factor");
  if (rope.type == Type::yarn) {
    rope.beta_fast = positive_or(parameters, "beta_fast", rope.beta_fast);
    rope.beta_slow = positive_or(parameters, "beta_slow", rope.beta_slow);
    rope.mscale = positive_if(parameters, "mscale");
    rope.mscale_all_dim = positive_if(parameters, "mscale_all_dim");
    if (const auto truncate = member(parameters, "truncate")) rope.truncate = truncate->as_bool();
  }
}

}  // namespace

RopeConfig Config::rope(double default_theta, std::string_view layer_type) const {
  RopeConfig rope;
  rope.theta = default_theta;
  if (const auto theta = find("rope_theta")) rope.theta = positive(*theta);
  if (const auto share = find("partial_rotary_factor")) rope.partial_rotary_factor = positive(*share);

  auto parameters = has("rope_parameters") ? find("rope_parameters") : find("rope_scaling");
  if (parameters) {
    if (!parameters->is_object()) parameters->fail("expected an object");
    if (!layer_type.empty())
      if (const auto own = member(*parameters, layer_type)) parameters = own;
    if (!parameters->is_object()) parameters->fail("expected an object");
    rope.theta = positive_or(*parameters, "rope_theta", rope.theta);
    rope.partial_rotary_factor = positive_or(*parameters, "partial_rotary_factor", rope.partial_rotary_factor);
    rope.type = type_of(*parameters);
    if (rope.type != Type::standard) {
      read_scaling(rope, *parameters, *this);
    } else if (const auto factor = member(*parameters, "factor")) {
      positive(*factor);  // unused, but a bad one shows a broken file
    }
  }
  if (rope.partial_rotary_factor > 1) fail("partial_rotary_factor", "the rotated share of a head must not exceed 1");
  return rope;
}

}  // namespace braid
