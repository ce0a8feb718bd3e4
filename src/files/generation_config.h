#pragma once
// generation_config.json: how a model's text is to be chosen, in the names of transformers' GenerationConfig. The same
// struct holds what a user asks for; `or_else` lays one over the other.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "files/config.h"

namespace braid {

/// When a beam search ends: once it has as many finished texts as beams (`yes`), when what still runs could hardly
/// become better than they are (`no`), or only when it cannot (`never`).
enum class EarlyStopping : uint8_t { no, yes, never };

/// Beside the file's name of a setting that is absent: nothing, or an empty list.
struct GenerationConfig {
  std::vector<int64_t> eos_token_ids = {};  ///< any of them ends the text
  std::optional<int64_t> bos_token_id = {}, pad_token_id = {}, decoder_start_token_id = {};
  std::vector<std::pair<int64_t, int64_t>> forced_decoder_ids = {};  ///< (position, token)

  std::optional<bool> do_sample = {};
  std::optional<double> temperature = {}, top_h = {}, top_p = {}, min_p = {}, typical_p = {}, epsilon_cutoff = {},
                        eta_cutoff = {};
  std::optional<int64_t> top_k = {};

  std::optional<double> repetition_penalty = {}, encoder_repetition_penalty = {};
  std::optional<double> frequency_penalty = {}, presence_penalty = {};  ///< the OpenAI API's; transformers has none
  std::optional<int64_t> no_repeat_ngram_size = {}, encoder_no_repeat_ngram_size = {};
  std::vector<std::vector<int32_t>> bad_words_ids = {};
  std::vector<std::pair<std::vector<int32_t>, double>> sequence_bias = {};

  std::optional<int64_t> max_length = {}, max_new_tokens = {}, min_length = {}, min_new_tokens = {};
  std::optional<int64_t> forced_bos_token_id = {};
  std::vector<int64_t> forced_eos_token_ids = {};
  std::optional<std::pair<int64_t, double>> exponential_decay_length_penalty = {};  ///< (start, factor)
  std::vector<int64_t> suppress_tokens = {}, begin_suppress_tokens = {};

  std::optional<int64_t> num_beams = {}, num_return_sequences = {};
  std::optional<double> length_penalty = {};
  std::optional<EarlyStopping> early_stopping = {};

  /// From the file's content (null when there is none), with `config` for what it leaves out.
  static GenerationConfig from(const Config* own, const Config& config, int64_t vocabulary = 0);
  /// Of a model's folder, with `config` for what the file leaves out. Throws on values that no sampler could use and,
  /// when `vocabulary` is not 0, on an EOS that is not below it.
  static GenerationConfig read(const std::string& folder, const Config& config, int64_t vocabulary = 0);

  /// Every setting that this one leaves out as `other` says.
  GenerationConfig or_else(const GenerationConfig& other) const;
};

/// Settings that are one number: for readers, flags and reports alike.
struct RealSetting {
  std::string_view name;
  std::optional<double> GenerationConfig::*field;
  double least, most;  ///< both included
  std::string_view help;
};
struct CountSetting {
  std::string_view name;
  std::optional<int64_t> GenerationConfig::*field;
  int64_t least, most;
  std::string_view help;
};
std::span<const RealSetting> real_settings();
std::span<const CountSetting> count_settings();

std::string_view name(EarlyStopping early);

}  // namespace braid
