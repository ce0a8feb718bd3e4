#include <filesystem>

#include "files/config.h"

namespace braid {
namespace {

constexpr IntRange kTokenRange{0, INT32_MAX};

std::optional<int64_t> int_if(const Config& config, std::string_view key, IntRange range) {
  return config.has(key) ? std::optional(config.int_at(key, range)) : std::nullopt;
}

std::optional<double> real_if(const Config& config, std::string_view key, double least, double most) {
  if (!config.has(key)) return std::nullopt;
  const double number = config.real_at(key);
  if (number < least || number > most) config.fail(key, "the value " + std::to_string(number) + " is out of range");
  return number;
}

/// Token ids that may be written as one integer or as a list.
std::vector<int64_t> token_ids(const Config& config, std::string_view key) {
  const auto value = config.find(key);
  if (!value) return {};
  if (value->is_array()) return config.ints_at(key, kTokenRange);
  return {config.int_at(key, kTokenRange)};
}

/// Config files say "none" as -1 here and there.
std::optional<int64_t> token_if(const Config& config, std::string_view key) {
  const auto id = int_if(config, key, {-1, kTokenRange.most});
  return id == -1 ? std::nullopt : id;
}

template <class T>
void take(std::optional<T>& field, std::optional<T> value) {
  if (!field) field = value;
}

/// The tokens that `out` does not name yet.
void read_tokens(GenerationConfig& out, const Config& config) {
  if (out.eos_token_ids.empty()) out.eos_token_ids = token_ids(config, "eos_token_id");
  take(out.bos_token_id, token_if(config, "bos_token_id"));
  take(out.pad_token_id, token_if(config, "pad_token_id"));
  take(out.decoder_start_token_id, token_if(config, "decoder_start_token_id"));
}

void read_sampling(GenerationConfig& out, const Config& config) {
  // Whisper's lists may hold -1 for "the default", which means none here.
  const auto suppressed = [&](std::string_view key) {
    std::vector<int64_t> ids = config.ints_or(key, {}, {-1, kTokenRange.most});
    std::erase(ids, -1);
    return ids;
  };
  out.suppress_tokens = suppressed("suppress_tokens");
  out.begin_suppress_tokens = suppressed("begin_suppress_tokens");
  if (const auto forced = config.find("forced_decoder_ids")) {
    if (!forced->is_array()) forced->fail("expected an array of [position, token]");
    for (size_t i = 0; i < forced->size(); ++i) {
      const Json pair = (*forced)[i];
      if (!pair.is_array() || pair.size() != 2) pair.fail("expected [position, token]");
      if (pair[1].is_null()) continue;  // a position that is left to the model
      const int64_t position = pair[0].as_int(), token = pair[1].as_int();
      if (position < 0 || token < 0 || token > kTokenRange.most) pair.fail("expected [position, token]");
      out.forced_decoder_ids.emplace_back(position, token);
    }
  }
  if (config.has("do_sample")) out.do_sample = config.bool_or("do_sample", false);
  out.temperature = real_if(config, "temperature", 0, 1e6);
  out.top_p = real_if(config, "top_p", 0, 1);
  out.min_p = real_if(config, "min_p", 0, 1);
  out.repetition_penalty = real_if(config, "repetition_penalty", 1e-6, 1e6);
  out.top_k = int_if(config, "top_k", {0, INT32_MAX});
  out.max_length = int_if(config, "max_length", {0, INT32_MAX});
  out.max_new_tokens = int_if(config, "max_new_tokens", {0, INT32_MAX});
}

}  // namespace

GenerationConfig GenerationConfig::from(const Config* own, const Config& config, int64_t vocabulary) {
  GenerationConfig out;
  if (own) read_tokens(out, *own);
  read_tokens(out, config);
  read_sampling(out, own ? *own : config);
  for (int64_t eos : out.eos_token_ids)
    if (vocabulary > 0 && eos >= vocabulary)
      (own && own->has("eos_token_id") ? *own : config)
          .fail("eos_token_id", "the end-of-sequence token " + std::to_string(eos) + " is outside the vocabulary of " +
                                    std::to_string(vocabulary));
  return out;
}

GenerationConfig GenerationConfig::read(const std::string& folder, const Config& config, int64_t vocabulary) {
  const auto path = std::filesystem::path(folder) / "generation_config.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return from(nullptr, config, vocabulary);
  const Config own = Config::read(path.string(), config.limits());
  return from(&own, config, vocabulary);
}

}  // namespace braid
