#include <algorithm>
#include <map>
#include <string_view>

#include "core/error.h"
#include "tasks/forward.h"
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

}  // namespace braid
