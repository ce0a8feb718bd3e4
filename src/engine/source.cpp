#include "engine/source.h"

#include <algorithm>

#include "core/error.h"

namespace braid {
namespace {

constexpr std::string_view kFeatures = "input_features", kTokens = "token_ids";

}  // namespace

bool encodes_tokens(Program& program) {
  if (!program.has_entry("encode")) return false;
  const Graph& encode = program.graph("encode");
  return std::ranges::any_of(encode.inputs(), [&](uint32_t n) { return encode.node(n).attrs.text("name") == kTokens; });
}

void check_tokens(std::span<const int32_t> ids, int64_t vocabulary) {
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= vocabulary)
      throw UsageError("the token " + std::to_string(ids[i]) + " at position " + std::to_string(i) +
                           " is outside the vocabulary of " + std::to_string(vocabulary),
                       {.file = {}, .field = "prompt", .offset = {}});
}

void check_source(const Tensor& source, Program& program) {
  const Graph& encode = program.graph("encode");
  for (const uint32_t n : encode.inputs()) {
    const Node& node = encode.node(n);
    const std::string& name = node.attrs.text("name");
    if (name == kTokens && source.format == Format::i32 && source.shape.size() == 1) {
      const std::span<const int32_t> ids(source.data<int32_t>(), static_cast<size_t>(source.elements()));
      check_tokens(ids, program.model().vocabulary);
      const int64_t most = program.options().source_tokens;
      if (ids.empty() || std::ssize(ids) > most)
        throw UsageError("the source has " + std::to_string(ids.size()) + " tokens, the model is ready for 1 to " +
                             std::to_string(most),
                         {.file = {}, .field = "prompt", .offset = {}}, "give a shorter text, or a larger context");
      return;
    }
    if (name != kTokens && name != kFeatures) continue;
    SymbolValues one;
    one[Symbol::sequences] = 1;
    Type wanted{.shape = {Symbol::source}, .format = Format::i32};
    if (name == kFeatures) {
      const std::vector<int64_t> sizes = sizes_at(node.types[0].shape, one);
      wanted = {.shape = Shape(sizes.begin() + 1, sizes.end())};
    }
    if (source.type() == wanted) return;
    throw UsageError("the source is " + to_string(source.type()) + ", the model reads " + to_string(wanted),
                     {.file = {}, .field = "source", .offset = {}});
  }
}

StepData encode_step(const Model& model, const Tensor& source, int32_t slot) {
  StepData step;
  step.sizes[Symbol::sequences] = 1;
  step.inputs = {{"source_slot", Tensor::of({1}, std::span<const int32_t>(&slot, 1))}};
  if (source.format != Format::i32) {
    std::vector<int64_t> shape = source.shape;
    shape.insert(shape.begin(), 1);
    step.inputs.push_back({std::string(kFeatures), source.reshaped(shape)});
    return step;
  }
  const int64_t tokens = source.elements();
  const std::vector<int32_t> positions =
      default_positions(model, {source.data<int32_t>(), static_cast<size_t>(tokens)});
  const int32_t spans[] = {0, static_cast<int32_t>(tokens)};
  step.sizes[Symbol::tokens] = tokens;
  step.inputs.push_back({std::string(kTokens), source});
  step.inputs.push_back({"positions", Tensor::of({tokens}, std::span(positions))});
  step.inputs.push_back({"span_start", Tensor::of({2}, std::span<const int32_t>(spans))});
  return step;
}

}  // namespace braid
