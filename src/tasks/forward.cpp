#include "tasks/forward.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string_view>

#include "core/error.h"
#include "tasks/numbers.h"

namespace braid {
namespace {

constexpr std::string_view kArguments[] = {
    "input_ids",         "attention_mask",         "position_ids",         "token_type_ids",
    "decoder_input_ids", "decoder_attention_mask", "decoder_position_ids", "pixel_values",
    "input_features"};

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + ")";
}

/// The arguments by name, with the checks that they share.
class Arguments {
 public:
  Arguments(std::span<const NamedTensor> tensors, const std::string& file) : file_(file) {
    for (const NamedTensor& t : tensors) {
      std::string_view name = t.name;
      if (name.starts_with("out.")) continue;
      if (name.starts_with("in.")) name.remove_prefix(3);
      if (std::ranges::find(kArguments, name) == std::end(kArguments)) {
        std::string known;
        for (const std::string_view argument : kArguments) known += (known.empty() ? "" : ", ") + std::string(argument);
        fail(name, "no model takes an argument of this name", "arguments: " + known);
      }
      if (!tensors_.emplace(name, t.tensor).second) fail(name, "the argument is given twice");
    }
  }

  const Tensor* find(std::string_view name) const {
    const auto it = tensors_.find(name);
    return it == tensors_.end() ? nullptr : &it->second;
  }

  /// Integers of shape (B, T); `batch` and `columns` 0 are set, else they must fit. A batch of 1 is repeated when
  /// `broadcast`. Empty when the argument is absent.
  std::vector<int64_t> integers(std::string_view name, int64_t& batch, int64_t& columns, bool broadcast = false) const {
    const Tensor* t = find(name);
    if (t == nullptr) return {};
    if (t->shape.size() != 2 || t->elements() == 0)
      fail(name, "shape " + shape_text(t->shape) + " is not (batch, tokens)");
    if (batch == 0) batch = t->shape[0];
    if (columns == 0) columns = t->shape[1];
    const bool repeat = broadcast && t->shape[0] == 1;
    if ((t->shape[0] != batch && !repeat) || t->shape[1] != columns)
      fail(name, "shape " + shape_text(t->shape) + " is not " + shape_text({batch, columns}), "pad the batch");
    std::vector<int64_t> values = to_integers(*t);
    if (values.empty()) fail(name, "the argument is not of integers but of " + std::string(info(t->format).name));
    for (int64_t b = 1; repeat && b < batch; ++b) values.insert(values.end(), values.begin(), values.begin() + columns);
    return values;
  }

  /// Floating-point numbers of this rank, as f32; absent when the argument is.
  Tensor floats(std::string_view name, size_t rank, int64_t& batch) const {
    const Tensor* t = find(name);
    if (t == nullptr) return {};
    if (t->shape.size() != rank || t->elements() == 0)
      fail(name, "shape " + shape_text(t->shape) + " has not " + std::to_string(rank) + " dimensions");
    if (!info(t->format).floating) fail(name, "the argument is not of floating-point numbers");
    if (batch == 0) batch = t->shape[0];
    if (t->shape[0] != batch) fail(name, "its batch of " + std::to_string(t->shape[0]) + " is not the others'");
    return to_f32(*t);
  }

  [[noreturn]] void fail(std::string_view name, std::string what, std::string advice = {}) const {
    throw Error(std::move(what), {.file = file_, .field = std::string(name), .offset = {}}, std::move(advice));
  }

 private:
  std::string file_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

int32_t narrow(const Arguments& arguments, std::string_view name, int64_t value) {
  if (value < 0 || value > INT32_MAX) arguments.fail(name, std::to_string(value) + " is out of range");
  return static_cast<int32_t>(value);
}

/// Ids, mask, positions and segments of (B, T) → the tokens that count. `prefix` is "" or "decoder_".
TokenInputs flatten(const Arguments& arguments, const std::string& prefix, int64_t& batch) {
  const std::string ids_name = prefix + "input_ids", mask_name = prefix + "attention_mask",
                    positions_name = prefix + "position_ids";
  TokenInputs inputs;
  const auto ids = arguments.integers(ids_name, batch, inputs.columns);
  const auto mask = arguments.integers(mask_name, batch, inputs.columns);
  const auto positions = arguments.integers(positions_name, batch, inputs.columns, true);
  const auto types =
      prefix.empty() ? arguments.integers("token_type_ids", batch, inputs.columns, true) : std::vector<int64_t>();
  if (ids.empty()) arguments.fail(mask.empty() ? positions_name : mask_name, ids_name + " is missing");
  inputs.own_positions = !positions.empty();
  inputs.span_start.push_back(0);
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t column = 0; column < inputs.columns; ++column) {
      const auto at = static_cast<size_t>(b * inputs.columns + column);
      if (!mask.empty() && mask[at] != 0 && mask[at] != 1)
        arguments.fail(mask_name, "a mask is of 0 and 1, not " + std::to_string(mask[at]));
      if (!mask.empty() && mask[at] == 0) continue;
      inputs.token_ids.push_back(narrow(arguments, ids_name, ids[at]));
      inputs.positions.push_back(narrow(arguments, positions_name, positions.empty() ? column : positions[at]));
      inputs.token_type_ids.push_back(narrow(arguments, "token_type_ids", types.empty() ? 0 : types[at]));
      inputs.place.push_back(static_cast<int64_t>(at));
    }
    inputs.span_start.push_back(narrow(arguments, ids_name, inputs.tokens()));
    if (inputs.span_start[b] == inputs.span_start[b + 1])
      arguments.fail(mask_name, "sequence " + std::to_string(b) + " has no token that counts");
  }
  return inputs;
}

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

int64_t TokenInputs::longest() const {
  int64_t most = 0;
  for (size_t s = 0; s + 1 < span_start.size(); ++s) most = std::max<int64_t>(most, span_start[s + 1] - span_start[s]);
  return most;
}

ForwardInputs ForwardInputs::from(std::span<const NamedTensor> tensors, const std::string& file) {
  const Arguments arguments(tensors, file);
  ForwardInputs inputs;
  inputs.pixel_values = arguments.floats("pixel_values", 4, inputs.batch);
  inputs.input_features = arguments.floats("input_features", 3, inputs.batch);
  const auto any = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(names, [&](std::string_view name) { return arguments.find(name) != nullptr; });
  };
  const bool encoder = any({"input_ids", "attention_mask", "position_ids", "token_type_ids"});
  const bool decoder = any({"decoder_input_ids", "decoder_attention_mask", "decoder_position_ids"});
  if (encoder) (decoder ? inputs.source : inputs) = flatten(arguments, "", inputs.batch);
  if (decoder) static_cast<TokenInputs&>(inputs) = flatten(arguments, "decoder_", inputs.batch);
  if (inputs.batch == 0) throw Error("there is no input", {.file = file, .field = {}, .offset = {}});
  return inputs;
}

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
