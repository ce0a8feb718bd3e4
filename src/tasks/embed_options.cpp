#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "files/safetensors.h"
#include "tasks/embed.h"
#include "tasks/numbers.h"

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

/// torch's class of an activation: "torch.nn.modules.activation.Tanh". Throws Error naming one that is not known.
float (*activation_of(const Config& config))(float) {
  const std::string name = config.string_or("activation_function", "torch.nn.modules.linear.Identity");
  constexpr std::pair<std::string_view, float (*)(float)> kActivations[] = {
      {"Identity", nullptr},
      {"Tanh", [](float x) { return std::tanh(x); }},
      {"ReLU", [](float x) { return std::max(x, 0.0f); }},
      {"Sigmoid", [](float x) { return 1 / (1 + std::exp(-x)); }},
      {"SiLU", [](float x) { return x / (1 + std::exp(-x)); }},
      {"GELU", [](float x) { return 0.5f * x * (1 + std::erf(x * 0.70710678f)); }}};
  const std::string last = name.substr(name.rfind('.') + 1);
  for (const auto& [known, function] : kActivations)
    if (last == known) return function;
  config.fail("activation_function", "unknown activation \"" + name + "\"",
              "there are Identity, Tanh, ReLU, Sigmoid, SiLU and GELU");
}

/// FOLDER/config.json and FOLDER/model.safetensors of a module Dense.
DenseLayer dense_of(const LoadedModel& model, const std::string& folder) {
  const Config config = Config::read(model.place.path_of(folder + "config.json"));
  const int64_t inputs = config.size_at("in_features"), outputs = config.size_at("out_features");
  const SafetensorsFile file = SafetensorsFile::open(model.place.path_of(folder + "model.safetensors"));
  const auto read = [&](const std::string& name, const std::vector<int64_t>& shape) {
    const SafetensorsEntry* entry = file.find(name);
    if (entry == nullptr || entry->shape != shape || !info(entry->format).floating)
      throw Error("the tensor is not there, or not of the size that the module's config.json says",
                  {.file = file.path(), .field = name, .offset = {}});
    return to_f32(file.tensor(*entry));
  };
  DenseLayer dense{.weight = read("linear.weight", {outputs, inputs}), .activation = activation_of(config)};
  if (config.bool_or("bias", true)) dense.bias = read("linear.bias", {outputs});
  return dense;
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
      const Config config = Config::read(model.place.path_of(folder + "config.json"));
      options.pooling = pooling_of(config);
      if (!config.bool_or("include_prompt", true))
        config.fail("include_prompt", "the prompt cannot be left out of the pooling", "give texts without a prompt");
    } else if (kind == "Dense" && !options.normalise) {
      options.dense.push_back(dense_of(model, folder));
    } else if (kind == "Normalize") {
      options.normalise = true;
    } else {
      modules[i].at("type").fail("a module of the kind " + std::string(kind) + " is not supported",
                                 "there are Transformer, Pooling, Dense and Normalize, in this order");
    }
  }
}

/// Whether the class writes text from left to right, so that its last token has seen all others.
bool reads_forward(const std::string& architecture) {
  return architecture.ends_with("ForCausalLM") || architecture.ends_with("LMHeadModel");
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

}  // namespace braid
