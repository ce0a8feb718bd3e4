#include "tasks/validate.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/error.h"
#include "ir/op.h"
#include "tasks/forward.h"
#include "tasks/sequences.h"

namespace braid {
namespace {

constexpr int64_t kSmall = 200'000'000;  // parameters: below, the oracle takes seconds for a hundred tokens

/// Inputs of the kind that the model's entries read.
std::vector<NamedTensor> random_inputs(Program& program, int64_t tokens) {
  std::mt19937_64 random(1);
  std::vector<NamedTensor> inputs;
  for (const std::string& entry : program.model().entries) {
    const Graph& graph = program.graph(entry);
    for (const uint32_t n : graph.inputs()) {
      const std::string& name = graph.node(n).attrs.text("name");
      if (name == "token_ids") {
        std::vector<int32_t> ids(static_cast<size_t>(tokens));
        for (int32_t& id : ids)
          id = static_cast<int32_t>(random() % static_cast<uint64_t>(program.model().vocabulary));
        inputs.push_back({program.has_entry("encode") ? "decoder_input_ids" : "input_ids", Tensor::of({1, tokens}, std::span<const int32_t>(ids))});
      } else if (name == "pixel_values" || name == "input_features") {
        SymbolValues one;
        one[Symbol::sequences] = 1;
        Tensor media = Tensor::make(sizes_at(graph.node(n).types[0].shape, one), Format::f32);
        std::uniform_real_distribution<float> uniform(-1, 1);
        for (int64_t i = 0; i < media.elements(); ++i) media.data<float>()[i] = uniform(random);
        inputs.push_back({name, media});
      }
    }
  }
  return inputs;
}

double relative_error(const Tensor& a, const Tensor& b) {
  double difference = 0, size = 0;
  for (int64_t i = 0; i < b.elements(); ++i) {
    const double x = a.data<float>()[i], y = b.data<float>()[i];
    difference += (x - y) * (x - y);
    size += y * y;
  }
  return size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

/// Sum of the lengths of the reductions, one after another, in one pass of a graph.
double reduction_length(const Graph& graph) {
  double length = 0;
  for (const Node& node : graph.nodes())
    if (node.op->kind == Kind::contract && graph.type(node.inputs[0]).last().is_number())
      length += static_cast<double>(graph.type(node.inputs[0]).last().number());
  return length;
}

int64_t parameter_count(const Graph& graph) {
  int64_t count = 0;
  for (const uint32_t p : graph.parameters()) count += element_count(graph.node(p).types[0].shape, {});
  return count;
}

std::vector<int32_t> decode_greedily(Program& program, std::span<const int32_t> prompt, int64_t tokens) {
  Sequences sequence(program, 1);
  std::vector<int32_t> all;
  std::vector<int32_t> next = greedy(sequence.prefill(prompt));
  for (int64_t t = 1; t < tokens; ++t) {
    all.push_back(next[0]);
    next = greedy(sequence.append(next, 1));
  }
  all.push_back(next[0]);
  return all;
}

}  // namespace

Validation validate(const LoadOptions& load, const ValidateOptions& options) {
  // Sizes are known once the graphs are: the first program serves for them alone.
  LoadOptions wanted = load;
  const int64_t at_most = options.prompt_tokens + options.tokens;
  wanted.context = std::max<int64_t>(at_most, 128);
  int64_t prompt_tokens = options.prompt_tokens, tokens = options.tokens;
  double length = 0;
  ForwardInputs inputs;
  {
    const LoadedModel sizes = load_model(wanted);
    Program& program = *sizes.program;
    int64_t parameters = 0;
    for (const std::string& entry : program.model().entries) {
      parameters = std::max(parameters, parameter_count(program.graph(entry)));
      length += reduction_length(program.graph(entry));
    }
    if (prompt_tokens == 0) prompt_tokens = parameters <= kSmall ? 80 : 16;
    if (tokens == 0) tokens = parameters <= kSmall ? 16 : 4;
    const int64_t longest = program.model().max_positions;
    if (longest > 0) prompt_tokens = std::clamp<int64_t>(longest - tokens, 1, prompt_tokens);
    inputs = ForwardInputs::from(random_inputs(program, prompt_tokens));
  }
  wanted = forward_options(inputs, wanted);
  wanted.context = prompt_tokens + tokens;
  const LoadedModel device = load_model(wanted);
  wanted.device = "oracle";
  const LoadedModel oracle = load_model(wanted);

  Validation result;
  result.device = std::string(device.program->backend().name());
  result.tolerance = std::max(1e-5, info(Format::f32).epsilon * std::sqrt(length));
  const std::vector<NamedTensor> ours = forward(*device.program, inputs), theirs = forward(*oracle.program, inputs);
  for (const NamedTensor& b : theirs) {
    const auto a = std::ranges::find(ours, b.name, &NamedTensor::name);
    if (a == ours.end()) throw Error("the device has no output " + b.name);
    const double error = relative_error(a->tensor, b.tensor);
    if (!(error <= result.max_relative_error)) {  // also when it is no number
      result.max_relative_error = error;
      result.worst_output = b.name;
    }
    if (b.name != "logits") continue;
    const std::vector<int32_t> x = greedy(a->tensor), y = greedy(b.tensor);
    result.tokens += static_cast<int64_t>(y.size());
    result.tokens_equal = result.tokens_equal && x == y;
  }
  if (device.program->has_entry("decode") && !device.program->has_entry("encode")) {
    result.tokens_equal = result.tokens_equal && decode_greedily(*device.program, inputs.token_ids, tokens) ==
                                                     decode_greedily(*oracle.program, inputs.token_ids, tokens);
    result.tokens += tokens;
  }
  for (const Receipt& receipt : device.program->receipts()) result.compute = receipt.compute;
  result.same = result.max_relative_error <= result.tolerance && result.tokens_equal;
  return result;
}

}  // namespace braid
