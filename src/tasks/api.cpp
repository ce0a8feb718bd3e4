// The public C++ API over the tasks.

#include <utility>

#include "core/error.h"
#include "tasks/forward.h"
#include "tasks/generate.h"
#include "text/tokenizer.h"

// Last: its names are found beside the library's own from here on.
#include "braid/braid.h"

namespace braid {
inline namespace api {
namespace {

LoadOptions load_options(const std::string& model, const Options& options) {
  LoadOptions load{.model = model, .device = options.device, .threads = options.threads, .context = options.context};
  load.rewrite.exact = options.exact;
  load.generation = GenerationConfig{};  // room for what the model's own settings ask for
  if (!options.weights.empty()) {
    load.rewrite.weights = format_from_name(options.weights);
    if (!load.rewrite.weights)
      throw UsageError("there is no format " + options.weights, {.file = {}, .field = "weights", .offset = {}});
  }
  return load;
}

/// Throws UsageError when the elements do not fill the shape.
Tensor tensor_of(const std::string& name, const Array& array) {
  const Place place{.file = {}, .field = name, .offset = {}};
  uint64_t elements = 1;
  for (const int64_t d : array.shape) {
    if (d < 0) throw UsageError("a dimension is negative", place);
    elements = checked_mul(elements, static_cast<uint64_t>(d), place);
  }
  if (elements != array.floats.size() + array.integers.size() || (!array.floats.empty() && !array.integers.empty()))
    throw UsageError("the array does not hold the " + std::to_string(elements) + " elements of its shape", place);
  return array.floats.empty() ? Tensor::of(array.shape, std::span(array.integers))
                              : Tensor::of(array.shape, std::span(array.floats));
}

}  // namespace

struct Model::State {
  LoadOptions options;
  LoadedModel model;
};

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::load(const std::string& model, const Options& options) {
  const LoadOptions load = load_options(model, options);
  return Model(std::make_unique<State>(State{load, load_model(load)}));
}

Generated Model::generate(const Generation& g, const std::function<bool(std::string_view)>& on_text) {
  GenerateOptions options{.prompt = g.prompt,
                          .settings = {.temperature = g.temperature,
                                       .top_p = g.top_p,
                                       .min_p = g.min_p,
                                       .top_k = g.top_k,
                                       .repetition_penalty = g.repetition_penalty,
                                       .frequency_penalty = g.frequency_penalty,
                                       .presence_penalty = g.presence_penalty,
                                       .no_repeat_ngram_size = g.no_repeat_ngram_size,
                                       .min_new_tokens = g.min_tokens},
                          .seed = g.seed,
                          .max_tokens = g.max_tokens,
                          .stop = g.stop,
                          .ignore_eos = g.ignore_eos,
                          .logprobs = g.logprobs};
  if (!g.prompt_ids.empty()) options.prompt_ids = g.prompt_ids;
  GenerateResult result = braid::generate(state_->model, options, on_text);
  Generated out{.text = std::move(result.text),
                .token_ids = std::move(result.token_ids),
                .prompt_tokens = result.prompt_tokens,
                .finish_reason = std::string(name(result.finish_reason))};
  for (const auto& l : result.logprobs) {
    out.logprobs.push_back({.token = l.token, .logprob = l.logprob});
    for (const RankedToken& top : l.top) out.logprobs.back().top.emplace_back(top.token, top.logprob);
  }
  return out;
}

std::map<std::string, Array> Model::forward(const std::map<std::string, Array>& inputs) {
  std::vector<NamedTensor> tensors;
  for (const auto& [name, array] : inputs) tensors.push_back({name, tensor_of(name, array)});
  const ForwardInputs checked = ForwardInputs::from(tensors);
  // A program of the right size for these inputs; the weights are mapped, not read again.
  LoadedModel sized = load_model(forward_options(checked, state_->options));
  std::map<std::string, Array> outputs;
  for (const NamedTensor& output : braid::forward(*sized.program, checked)) {
    const float* numbers = output.tensor.data<float>();
    outputs[output.name] = {.shape = output.tensor.shape, .floats = {numbers, numbers + output.tensor.elements()}};
  }
  return outputs;
}

std::vector<int32_t> Model::tokenize(std::string_view text, bool special) const {
  return state_->model.need_tokenizer().encode(text, {.add_special = special}).ids;
}

std::string Model::detokenize(std::span<const int32_t> ids, bool skip_special) const {
  return state_->model.need_tokenizer().decode(ids, skip_special);
}

}  // namespace api
}  // namespace braid
