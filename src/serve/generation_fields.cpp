#include "serve/generation_fields.h"

#include <charconv>
#include <random>

#include "engine/source.h"

namespace braid::serve {
namespace {

constexpr size_t kMostBiases = 1024, kMostStops = 16;

void check_writes(const ServedModel& served) {
  if (!served.loop().generates())
    throw ApiError(400, "the model " + served.name() + " does not write text", "model", "unsupported_model");
}

/// 1 unless a model that samples says otherwise: what both APIs document.
void set_temperature(std::optional<double> asked, const ServedModel& served, GenerationConfig& settings) {
  settings.temperature = asked;
  if (!asked && !served.model().generation.do_sample.value_or(false)) settings.temperature = 1;
}

void read_bias(Fields& fields, int64_t vocabulary, GenerationConfig& settings) {
  const auto bias = fields.any("logit_bias");
  if (!bias) return;
  if (!bias->is_object()) reject("logit_bias", "must be an object of token ids and numbers");
  if (bias->size() > kMostBiases) reject("logit_bias", "has more than " + std::to_string(kMostBiases) + " tokens");
  for (size_t i = 0; i < bias->size(); ++i) {
    const std::string_view key = bias->key(i);
    int32_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0 || id >= vocabulary)
      reject("logit_bias", "names \"" + std::string(key) + "\", which is no token id: they are integers from 0 to " +
                               std::to_string(vocabulary - 1));
    const Json value = (*bias)[i];
    if (!value.is_number() || !(value.as_double() >= -100 && value.as_double() <= 100))
      reject("logit_bias", "must hold numbers from -100 to 100");
    settings.sequence_bias.push_back({{id}, value.as_double()});
  }
}

void read_choice(Fields& fields, const ServedModel& served, GenerationConfig& settings) {
  const GenerationConfig& own = served.model().generation;
  set_temperature(fields.real("temperature", 0, 2), served, settings);
  settings.top_p = fields.real("top_p", 0, 1);
  settings.min_p = fields.real("min_p", 0, 1);
  settings.top_k = fields.integer("top_k", -1, served.vocabulary());
  if (settings.top_k == -1) settings.top_k = 0;  // vLLM's way to say all
  settings.frequency_penalty = fields.real("frequency_penalty", -2, 2);
  settings.presence_penalty = fields.real("presence_penalty", -2, 2);
  settings.repetition_penalty = fields.real("repetition_penalty", 0.01, 100);
  settings.min_new_tokens = fields.integer("min_tokens", 0, served.context());
  read_bias(fields, served.vocabulary(), settings);
  const std::vector<int32_t> ends = fields.ids("stop_token_ids", served.vocabulary(), kMostBiases);
  if (ends.empty()) return;
  settings.eos_token_ids = own.eos_token_ids;
  settings.eos_token_ids.insert(settings.eos_token_ids.end(), ends.begin(), ends.end());
}

void read_stream(Fields& fields, GenerationFields& out) {
  out.stream = fields.flag("stream").value_or(false);
  const auto options = fields.any("stream_options");
  if (!options) return;
  if (!out.stream) reject("stream_options", "goes with stream: true");
  if (!options->is_object()) reject("stream_options", "must be an object");
  for (size_t i = 0; i < options->size(); ++i) {
    const bool usage = options->key(i) == "include_usage";
    const Json value = (*options)[i];
    if (!usage && options->key(i) != "include_obfuscation")
      reject("stream_options", "has an unknown member " + std::string(options->key(i)), "unknown_parameter");
    if (value.kind() != Json::Kind::boolean || (!usage && value.as_bool()))
      reject("stream_options." + std::string(options->key(i)), usage ? "must be true or false" : "is not supported");
    if (usage) out.include_usage = value.as_bool();
  }
}

}  // namespace

GenerationFields read_message_settings(Fields& fields, const ServedModel& served) {
  check_writes(served);
  GenerationFields out;
  GenerationConfig& settings = out.options.settings;
  set_temperature(fields.real("temperature", 0, 1), served, settings);
  settings.top_p = fields.real("top_p", 0, 1);
  settings.top_k = fields.integer("top_k", 0, served.vocabulary());
  out.options.seed = std::random_device()();
  out.options.stop = fields.texts("stop_sequences", kMostStops);
  out.stream = fields.flag("stream").value_or(false);
  return out;
}

GenerationFields read_generation(Fields& fields, const ServedModel& served) {
  check_writes(served);
  GenerationFields out;
  read_choice(fields, served, out.options.settings);
  out.n = fields.integer("n", 1, served.sequences()).value_or(1);
  out.options.settings.num_return_sequences = out.n;
  const auto seed = fields.integer("seed", INT64_MIN, INT64_MAX);
  out.options.seed = seed ? static_cast<uint64_t>(*seed) : std::random_device()();
  out.options.stop = fields.texts("stop", kMostStops);
  out.options.ignore_eos = fields.flag("ignore_eos").value_or(false);
  out.token_ids = fields.flag("return_token_ids").value_or(false);
  read_stream(fields, out);
  for (const char* name : {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"})
    fields.accept(name);
  fields.refuse("use_beam_search", "texts are drawn");
  return out;
}

void check_budget(const ServedModel& served, size_t prompt, int64_t max_tokens, std::string_view param) {
  const auto tokens = static_cast<int64_t>(prompt);
  if (tokens == 0) reject(param, "is empty: give at least one token");
  if (served.model().program->has_entry("encode")) return;  // the engine knows the source's bound
  const int64_t left = served.context() - tokens;
  if (left >= std::max<int64_t>(1, max_tokens)) return;
  throw ApiError(400,
                 "the context is " + std::to_string(served.context()) + " tokens; the prompt has " +
                     std::to_string(tokens) +
                     (left > 0 ? " and max_tokens is " + std::to_string(max_tokens) + ": give max_tokens of at most " +
                                     std::to_string(left)
                               : ": shorten it to at most " + std::to_string(served.context() - 1)),
                 std::string(left > 0 ? "max_tokens" : param), "context_length_exceeded");
}

}  // namespace braid::serve
