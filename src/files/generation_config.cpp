#include "files/generation_config.h"

#include <filesystem>

namespace braid {
namespace {

constexpr IntRange kTokenRange{0, INT32_MAX};
constexpr double kTiny = 1e-6, kHuge = 1e6;

constexpr RealSetting kReals[] = {
    {"temperature", &GenerationConfig::temperature, 0, kHuge, "0 takes the likeliest token"},
    {"top_p", &GenerationConfig::top_p, 0, 1, "among the likeliest that together have this probability"},
    {"min_p", &GenerationConfig::min_p, 0, 1, "among those at least X times as likely as the likeliest"},
    {"typical_p", &GenerationConfig::typical_p, kTiny, 1,
     "among the tokens of typical information that together have this probability"},
    {"top_h", &GenerationConfig::top_h, 0, 1, "among the likeliest that have this share of the entropy (0: all)"},
    {"epsilon_cutoff", &GenerationConfig::epsilon_cutoff, 0, 1 - kTiny, "among those at least this probable"},
    {"eta_cutoff", &GenerationConfig::eta_cutoff, 0, 1 - kTiny, "the same, lower where the entropy is high"},
    {"repetition_penalty", &GenerationConfig::repetition_penalty, kTiny, kHuge,
     "divides the logits of tokens seen before"},
    {"encoder_repetition_penalty", &GenerationConfig::encoder_repetition_penalty, kTiny, kHuge,
     "multiplies the logits of the source's tokens"},
    {"frequency_penalty", &GenerationConfig::frequency_penalty, -kHuge, kHuge,
     "off a logit for each time that its token was written"},
    {"presence_penalty", &GenerationConfig::presence_penalty, -kHuge, kHuge,
     "off the logit of every token that was written"},
    {"length_penalty", &GenerationConfig::length_penalty, -kHuge, kHuge,
     "a beam's score is divided by its length to the power of X"},
};

constexpr CountSetting kCounts[] = {
    {"top_k", &GenerationConfig::top_k, 0, INT32_MAX, "among the N likeliest (0: all)"},
    {"no_repeat_ngram_size", &GenerationConfig::no_repeat_ngram_size, 0, INT32_MAX, "no N tokens in a row come twice"},
    {"encoder_no_repeat_ngram_size", &GenerationConfig::encoder_no_repeat_ngram_size, 0, INT32_MAX,
     "nor any N tokens of the source"},
    {"min_length", &GenerationConfig::min_length, 0, INT32_MAX, "no end before so many tokens, prompt included"},
    {"min_new_tokens", &GenerationConfig::min_new_tokens, 0, INT32_MAX, "no end before so many tokens were written"},
    {"num_beams", &GenerationConfig::num_beams, 1, 1024, "beams of a beam search (1: none)"},
    {"num_return_sequences", &GenerationConfig::num_return_sequences, 1, 1024,
     "texts to write: the best beams, or so many draws"},
};

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
void take(std::optional<T>& field, const std::optional<T>& value) {
  if (!field) field = value;
}
template <class T>
void take(std::vector<T>& field, const std::vector<T>& value) {
  if (field.empty()) field = value;
}

/// The tokens that `out` does not name yet.
void read_tokens(GenerationConfig& out, const Config& config) {
  if (out.eos_token_ids.empty()) out.eos_token_ids = token_ids(config, "eos_token_id");
  take(out.bos_token_id, token_if(config, "bos_token_id"));
  take(out.pad_token_id, token_if(config, "pad_token_id"));
  take(out.decoder_start_token_id, token_if(config, "decoder_start_token_id"));
}

std::vector<int32_t> sequence(const Json& list) {
  if (!list.is_array() || list.size() == 0) list.fail("expected an array of token ids");
  std::vector<int32_t> ids;
  for (size_t i = 0; i < list.size(); ++i) {
    const int64_t id = list[i].as_int();
    if (id < 0 || id > kTokenRange.most) list[i].fail("this is no token id");
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
}

/// What has a form of its own: [[position, token], …], [[tokens], …], [[[tokens], bias], …], [start, factor].
void read_lists(GenerationConfig& out, const Config& config) {
  const auto each = [&](std::string_view key, auto&& use) {
    const auto list = config.find(key);
    if (!list) return;
    if (!list->is_array()) list->fail("expected an array");
    for (size_t i = 0; i < list->size(); ++i) use((*list)[i]);
  };
  const auto pair_of = [](const Json& list, const char* what) {
    if (!list.is_array() || list.size() != 2) list.fail(std::string("expected ") + what);
    return std::pair(list[0], list[1]);
  };
  each("forced_decoder_ids", [&](const Json& item) {
    const auto [at, id] = pair_of(item, "[position, token]");
    if (id.is_null()) return;  // a position that is left to the model
    const int64_t position = at.as_int(), token = id.as_int();
    if (position < 0 || token < 0 || token > kTokenRange.most) item.fail("expected [position, token]");
    out.forced_decoder_ids.emplace_back(position, token);
  });
  each("bad_words_ids", [&](const Json& item) { out.bad_words_ids.push_back(sequence(item)); });
  each("sequence_bias", [&](const Json& item) {
    const auto [tokens, bias] = pair_of(item, "[[tokens], bias]");
    out.sequence_bias.emplace_back(sequence(tokens), bias.as_double());
  });
  if (const auto decay = config.find("exponential_decay_length_penalty")) {
    const auto [start, factor] = pair_of(*decay, "[start, factor]");
    if (start.as_int() < 0 || !(factor.as_double() > 0 && factor.as_double() <= kHuge))
      decay->fail("expected a start from 0 on and a factor above 0");
    out.exponential_decay_length_penalty = {start.as_int(), factor.as_double()};
  }
}

std::optional<EarlyStopping> early_stopping(const Config& config) {
  const auto value = config.find("early_stopping");
  if (!value) return std::nullopt;
  if (!value->is_string()) return value->as_bool() ? EarlyStopping::yes : EarlyStopping::no;
  if (value->as_string() != "never") value->fail("expected true, false or \"never\"");
  return EarlyStopping::never;
}

void read_settings(GenerationConfig& out, const Config& config) {
  // Whisper's lists may hold -1 for "the default", which means none here.
  const auto suppressed = [&](std::string_view key) {
    std::vector<int64_t> ids = config.ints_or(key, {}, {-1, kTokenRange.most});
    std::erase(ids, -1);
    return ids;
  };
  out.suppress_tokens = suppressed("suppress_tokens");
  out.begin_suppress_tokens = suppressed("begin_suppress_tokens");
  if (config.has("do_sample")) out.do_sample = config.bool_or("do_sample", false);
  for (const RealSetting& s : kReals) out.*s.field = real_if(config, s.name, s.least, s.most);
  for (const CountSetting& s : kCounts) out.*s.field = int_if(config, s.name, {s.least, s.most});
  out.max_length = int_if(config, "max_length", {0, INT32_MAX});
  out.max_new_tokens = int_if(config, "max_new_tokens", {0, INT32_MAX});
  out.forced_bos_token_id = token_if(config, "forced_bos_token_id");
  out.forced_eos_token_ids = token_ids(config, "forced_eos_token_id");
  out.early_stopping = early_stopping(config);
  read_lists(out, config);
}

}  // namespace

std::span<const RealSetting> real_settings() { return kReals; }
std::span<const CountSetting> count_settings() { return kCounts; }

std::string_view name(EarlyStopping early) {
  constexpr std::string_view kNames[] = {"no", "yes", "never"};
  return kNames[static_cast<size_t>(early)];
}

GenerationConfig GenerationConfig::or_else(const GenerationConfig& other) const {
  GenerationConfig out = *this;
  for (const RealSetting& s : kReals) take(out.*s.field, other.*s.field);
  for (const CountSetting& s : kCounts) take(out.*s.field, other.*s.field);
  for (const auto field :
       {&GenerationConfig::bos_token_id, &GenerationConfig::pad_token_id, &GenerationConfig::decoder_start_token_id,
        &GenerationConfig::max_length, &GenerationConfig::max_new_tokens, &GenerationConfig::forced_bos_token_id})
    take(out.*field, other.*field);
  for (const auto field : {&GenerationConfig::eos_token_ids, &GenerationConfig::forced_eos_token_ids,
                           &GenerationConfig::suppress_tokens, &GenerationConfig::begin_suppress_tokens})
    take(out.*field, other.*field);
  take(out.forced_decoder_ids, other.forced_decoder_ids);
  take(out.bad_words_ids, other.bad_words_ids);
  take(out.sequence_bias, other.sequence_bias);
  take(out.exponential_decay_length_penalty, other.exponential_decay_length_penalty);
  take(out.do_sample, other.do_sample);
  take(out.early_stopping, other.early_stopping);
  return out;
}

GenerationConfig GenerationConfig::from(const Config* own, const Config& config, int64_t vocabulary) {
  GenerationConfig out;
  if (own) read_tokens(out, *own);
  read_tokens(out, config);
  read_settings(out, own ? *own : config);
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
