#include "tasks/forward.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/error.h"
#include "tasks/numbers.h"

namespace braid {
namespace {

/// First, first + 1, … (count).
Tensor counting(int64_t count, int32_t first = 0) {
  std::vector<int32_t> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<int32_t>(i);
  return Tensor::of({count}, std::span<const int32_t>(values));
}
Tensor vector_of(const std::vector<int32_t>& values) {
  return Tensor::of({static_cast<int64_t>(values.size())}, std::span<const int32_t>(values));
}

/// Those that were given, else the model's own way to count.
std::vector<int32_t> positions_of(const Model& model, const TokenInputs& in) {
  if (in.own_positions || !model.position_padding) return in.positions;
  std::vector<int32_t> positions;
  for (size_t s = 0; s + 1 < in.span_start.size(); ++s) {
    const std::span all(in.token_ids);
    const auto first = static_cast<size_t>(in.span_start[s]), last = static_cast<size_t>(in.span_start[s + 1]);
    std::ranges::copy(default_positions(model, all.subspan(first, last - first)), std::back_inserter(positions));
  }
  return positions;
}

/// A step of all sequences from their beginning. Sequence s has slot s, and pages of its own.
StepData step_data(const Program& program, const ForwardInputs& in, const TokenInputs& tokens) {
  StepData step;
  step.sizes[Symbol::tokens] = tokens.tokens();
  step.sizes[Symbol::sequences] = in.batch;
  step.sizes[Symbol::rows] = &tokens == &in.source ? 0 : tokens.tokens();  // an encoder gives no logits
  const auto add = [&](std::string name, Tensor tensor) {
    step.inputs.push_back({std::move(name), std::move(tensor)});
  };
  add("slots", counting(in.batch));
  add("source_slot", counting(in.batch));
  add("context", Tensor::make({in.batch}, Format::i32));
  if (tokens.tokens() > 0) {
    add("token_ids", vector_of(tokens.token_ids));
    add("positions", vector_of(positions_of(program.model(), tokens)));
    add("token_type_ids", vector_of(tokens.token_type_ids));
    add("span_start", vector_of(tokens.span_start));
    add("rows", counting(tokens.tokens()));
    Tensor pages = Tensor::make({in.batch, program.max_pages()}, Format::i32);
    int32_t next = 0;
    for (int64_t s = 0; s < in.batch; ++s) {
      const int64_t span = tokens.span_start[s + 1] - tokens.span_start[s];
      for (int64_t p = 0; p < program.max_pages() && p * program.page_size() < span; ++p)
        pages.data<int32_t>()[s * program.max_pages() + p] = next++;
    }
    add("page_table", pages);
    add("window_table", std::move(pages));
  }
  if (in.pixel_values) add("pixel_values", in.pixel_values);
  if (in.input_features) add("input_features", in.input_features);
  return step;
}

bool over_tokens(const Type& type) {
  return type.rank() > 0 && (type[0].symbol == Symbol::tokens || type[0].symbol == Symbol::rows);
}

/// (tokens, …) → (B, T, …), zeros where the mask is 0.
Tensor scatter_tokens(const Tensor& rows, const TokenInputs& in, int64_t batch) {
  std::vector<int64_t> shape = rows.shape;
  shape[0] = in.columns;
  shape.insert(shape.begin(), batch);
  Tensor out = Tensor::make(shape, Format::f32);
  const int64_t width = rows.elements() / in.tokens();
  for (int64_t i = 0; i < in.tokens(); ++i)
    std::memcpy(out.data<float>() + in.place[i] * width, rows.data<float>() + i * width, width * sizeof(float));
  return out;
}

void run_entry(Program& program, std::string_view entry, const ForwardInputs& in, std::vector<NamedTensor>& outputs) {
  const Graph& graph = program.graph(entry);
  const TokenInputs& tokens = entry == "encode" ? in.source : in;
  for (NamedTensor& out : program.run(entry, step_data(program, in, tokens))) {
    const auto known = std::ranges::find(graph.outputs(), out.name, &Graph::Output::name);
    const Tensor values = to_f32(out.tensor);
    const bool ragged = known != graph.outputs().end() && over_tokens(graph.type(known->value));
    // A copy either way: a program's outputs last until its next step.
    outputs.push_back({std::move(out.name), ragged ? scatter_tokens(values, tokens, in.batch) : values});
  }
}

void check_vocabulary(const Model& model, const TokenInputs& in, std::string_view argument) {
  for (const int32_t id : in.token_ids)
    if (model.vocabulary > 0 && id >= model.vocabulary)
      throw Error(
          "token id " + std::to_string(id) + " is not below the vocabulary of " + std::to_string(model.vocabulary),
          {.file = {}, .field = std::string(argument), .offset = {}});
}

void need(bool given, const Program& program, std::string_view argument) {
  if (given) return;
  throw Error("a model of the family " + program.model().family + " needs this argument",
              {.file = {}, .field = std::string(argument), .offset = {}});
}

}  // namespace

LoadOptions forward_options(const ForwardInputs& inputs, LoadOptions base) {
  base.sequences = inputs.batch;
  base.context = std::max<int64_t>(1, inputs.longest());
  base.source_tokens = inputs.source.longest();
  base.step_tokens = std::max({inputs.batch, inputs.tokens(), inputs.source.tokens()});
  base.rows = inputs.tokens();
  const Tensor& source = inputs.pixel_values ? inputs.pixel_values : inputs.input_features;
  if (source) base.source.assign(source.shape.begin() + 1, source.shape.end());
  return base;
}

std::vector<NamedTensor> forward(Program& program, const ForwardInputs& inputs) {
  const Model& model = program.model();
  const auto reads = [&](std::string_view entry, std::string_view input) {
    const Graph& graph = program.graph(entry);
    return std::ranges::any_of(graph.inputs(), [&](uint32_t n) { return graph.node(n).attrs.text("name") == input; });
  };
  check_vocabulary(model, inputs, inputs.source.tokens() > 0 ? "decoder_input_ids" : "input_ids");
  check_vocabulary(model, inputs.source, "input_ids");
  std::vector<NamedTensor> outputs;
  for (const std::string_view entry : {"encode", "decode", "forward"}) {
    if (!program.has_entry(entry) || (entry == "forward" && program.has_entry("decode"))) continue;
    const bool after_encoder = entry == "decode" && program.has_entry("encode");
    if (reads(entry, "pixel_values")) need(bool(inputs.pixel_values), program, "pixel_values");
    if (reads(entry, "input_features")) need(bool(inputs.input_features), program, "input_features");
    if (entry == "encode" && reads(entry, "token_ids"))
      need(inputs.source.tokens() > 0, program, inputs.tokens() > 0 ? "decoder_input_ids" : "input_ids");
    else if (reads(entry, "token_ids"))
      need(inputs.tokens() > 0, program, after_encoder ? "decoder_input_ids" : "input_ids");
    run_entry(program, entry, inputs, outputs);
  }
  return outputs;
}

}  // namespace braid
