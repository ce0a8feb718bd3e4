#include "tasks/embed.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid {
namespace {

constexpr std::pair<std::string_view, Pooling> kModes[] = {{"cls_token", Pooling::first},
                                                           {"max_tokens", Pooling::max},
                                                           {"mean_tokens", Pooling::mean},
                                                           {"mean_sqrt_len_tokens", Pooling::mean_sqrt},
                                                           {"weightedmean_tokens", Pooling::weighted_mean},
                                                           {"lasttoken", Pooling::last}};

/// pooling_mode_MODE: true for each mode, or, in newer files, "pooling_mode": "mean" (or a list of such).
std::vector<Pooling> pooling_of(const Config& config) {
  std::vector<Pooling> modes;
  for (const auto& [name, mode] : kModes)
    if (config.bool_or("pooling_mode_" + std::string(name), false)) modes.push_back(mode);
  if (const auto named = config.find("pooling_mode")) {
    const std::vector<std::string> names =
        named->is_array() ? config.strings("pooling_mode") : std::vector{config.string_at("pooling_mode")};
    for (const auto& [name, mode] : kModes)
      if (std::ranges::any_of(
              names, [&](const std::string& n) { return name == n || name == n + "_token" || name == n + "_tokens"; }))
        modes.push_back(mode);
  }
  if (modes.empty())
    throw Error("no way to pool is switched on",
                {.file = config.file(), .field = "pooling_mode_mean_tokens", .offset = {}});
  return modes;
}

void read_modules(const LoadedModel& model, EmbedOptions& options) {
  const JsonDocument document = JsonDocument::read(model.place.path_of("modules.json"));
  const Json modules = document.root();
  for (size_t i = 0; i < modules.size(); ++i) {
    const std::string path(modules[i].at("path").as_string());
    std::string_view kind = modules[i].at("type").as_string();
    kind = kind.substr(kind.rfind('.') + 1);
    const std::string folder = path.empty() ? "" : path + "/";
    if (kind == "Transformer") {
      if (!model.place.has(folder + "sentence_bert_config.json")) continue;
      const Config config = Config::read(model.place.path_of(folder + "sentence_bert_config.json"));
      options.max_tokens = config.size_or("max_seq_length", options.max_tokens);
      options.lowercase = config.bool_or("do_lower_case", false);
    } else if (kind == "Pooling") {
      options.pooling = pooling_of(Config::read(model.place.path_of(folder + "config.json")));
    } else if (kind == "Normalize") {
      options.normalise = true;
    } else {
      modules[i].at("type").fail("a module of the kind " + std::string(kind) + " is not supported",
                                 "there are Transformer, Pooling and Normalize");
    }
  }
}

/// Text that is not UTF-8 stays as it is: the tokenizer refuses it.
std::string lowercased(const std::string& text) {
  if (utf8::first_invalid(text)) return text;
  std::string lower;
  for (size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::decode(text, at);
    at += c.bytes;
    for (const char32_t l : unicode::lowercase(c.code_point)) utf8::append(lower, l);
  }
  return lower;
}

/// Whether the class writes text from left to right, so that its last token has seen all others.
bool reads_forward(const std::string& architecture) {
  return architecture.ends_with("ForCausalLM") || architecture.ends_with("LMHeadModel");
}

/// x (tokens, width) → (width).
std::vector<float> pooled(Pooling how, const SequenceOutput& x) {
  const auto width = static_cast<size_t>(x.width), tokens = x.values.size() / width;
  const auto row = [&](size_t i) { return x.values.subspan(i * width, width); };
  if (how == Pooling::first) return {row(0).begin(), row(0).end()};
  if (how == Pooling::last) return {row(tokens - 1).begin(), row(tokens - 1).end()};
  std::vector<float> result(width);
  for (size_t d = 0; d < width; ++d) {
    double sum = 0, weights = 0;
    float most = row(0)[d];
    for (size_t i = 0; i < tokens; ++i) {
      const double weight = how == Pooling::weighted_mean ? static_cast<double>(i + 1) : 1.0;
      sum += weight * row(i)[d];
      weights += weight;
      most = std::max(most, row(i)[d]);
    }
    const double mean = sum / (how == Pooling::mean_sqrt ? std::sqrt(weights) : weights);
    result[d] = how == Pooling::max ? most : static_cast<float>(mean);
  }
  return result;
}

void to_length_one(std::vector<float>& x) {
  double square = 0;
  for (const float v : x) square += static_cast<double>(v) * v;
  const double length = std::max(std::sqrt(square), 1e-12);  // torch's floor
  for (float& v : x) v = static_cast<float>(v / length);
}

}  // namespace

EmbedOptions embed_options(const LoadedModel& model) {
  EmbedOptions options{.max_tokens = longest_text(model)};
  if (model.place.has("modules.json")) read_modules(model, options);
  options.max_tokens = std::min(options.max_tokens, longest_text(model));
  if (options.pooling.empty()) {
    const bool decoder = reads_forward(model.program->model().architecture);
    options.pooling = {decoder ? Pooling::last : Pooling::mean};
    options.normalise = options.normalise || (decoder && !model.place.has("modules.json"));
  }
  if (model.place.has("config_sentence_transformers.json")) {
    const Config config = Config::read(model.place.path_of("config_sentence_transformers.json"));
    if (const std::string name = config.string_or("default_prompt_name", ""); !name.empty())
      options.prompt = config.section("prompts").string_at(name);
  }
  return options;
}

std::vector<std::vector<float>> embed(LoadedModel& model, std::span<const std::string> texts,
                                      const EmbedOptions& options) {
  std::vector<Sequence> sequences;
  for (const std::string& text : texts) {
    const std::string whole = options.prompt + text;
    sequences.push_back(sequence_of(model, options.lowercase ? lowercased(whole) : whole, options.max_tokens));
    check_length(model, sequences.back(), sequences.size() - 1);
  }
  std::vector<std::vector<float>> vectors(texts.size());
  run_sequences(*model.program, sequences, "last_hidden_state", [&](const SequenceOutput& x) {
    std::vector<float>& vector = vectors[x.index];
    for (const Pooling how : options.pooling) std::ranges::copy(pooled(how, x), std::back_inserter(vector));
    if (options.normalise) to_length_one(vector);
  });
  return vectors;
}

}  // namespace braid
