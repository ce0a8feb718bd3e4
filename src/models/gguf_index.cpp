#include "models/gguf_index.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "files/gguf_architectures.h"
#include "ops/ops.h"

namespace braid {
namespace {

struct Names {
  std::shared_ptr<const Checkpoint> checkpoint;
  std::shared_ptr<const QuantizedCheckpoint> quantised;
  std::map<std::string, GgufPlace, std::less<>> places;
  int64_t heads = 0, kv_heads = 0;
};

Type type_of(const Names& names, std::string_view tensor) {
  if (const CodedWeight* w = names.quantised ? names.quantised->find(tensor) : nullptr) return w->type();
  const TensorEntry& entry = *names.checkpoint->entry(tensor);
  return {.shape = Shape(entry.shape.begin(), entry.shape.end()), .format = entry.format};
}

/// Rows (heads · d, …) whose pairs (i, i + d/2) lie side by side, as two halves again.
Value halves_of_pairs(Value x, int64_t heads, const Place& place) {
  const Shape shape = x.type().shape;
  if (heads < 1 || shape.empty() || shape[0].number() % (2 * heads) != 0)
    throw Error("the rows of " + to_string(x.type()) + " are no pairs of " + std::to_string(heads) + " heads", place);
  const int64_t half = shape[0].number() / heads / 2;
  Shape pairs{heads, half, 2}, rest(shape.begin() + 1, shape.end());
  std::vector<int64_t> order{0, 2, 1};
  for (const Dim& dim : rest) {
    order.push_back(static_cast<int64_t>(order.size()));
    pairs.push_back(dim);
  }
  return reshape(transpose(reshape(x, pairs), order), shape);
}

Value arranged(const Names& names, const GgufPlace& from, Value x) {
  const Place place{.file = names.checkpoint->file_of(from.name), .field = from.name, .offset = {}};
  const Shape shape = x.type().shape;
  switch (from.arrangement) {
    case GgufArrangement::same:
      return x;
    case GgufArrangement::query_pairs:
      return halves_of_pairs(x, names.heads, place);
    case GgufArrangement::key_pairs:
      return halves_of_pairs(x, names.kv_heads, place);
    case GgufArrangement::plus_one:
      return (x.type().format == Format::f32 ? x : cast(x, Format::f32)) + -1.0;
    case GgufArrangement::transposed:
      return shape.size() == 2 ? transpose(x, {1, 0}) : x;
    case GgufArrangement::experts: {
      if (shape.size() < 2)
        throw Error("the tensor of experts has " + std::to_string(shape.size()) + " dimensions", place);
      return reshape(slice(x, 0, from.expert, from.expert + 1), Shape(shape.begin() + 1, shape.end()));
    }
  }
  return x;
}

Value expression(const Names& names, Builder& builder, std::string_view name) {
  const GgufPlace& from = names.places.find(name)->second;
  return arranged(names, from, builder.parameter(from.name, type_of(names, from.name)));
}

}  // namespace

TensorIndex gguf_index(const std::shared_ptr<const Checkpoint>& checkpoint,
                       std::shared_ptr<const QuantizedCheckpoint> quantised) {
  const GgufMetadata& metadata = *checkpoint->gguf();
  const GgufArchitecture& architecture = gguf_architecture(metadata);
  const auto integer = [&](const char* key) { return metadata.integer(std::string(architecture.name) + "." + key); };
  const int64_t heads = integer("attention.head_count").value_or(0);
  const int64_t kv_heads = integer("attention.head_count_kv").value_or(heads);
  const int64_t experts = integer("expert_count").value_or(0);
  constexpr int64_t kMaxExperts = 65'536;
  if (experts < 0 || experts > kMaxExperts)
    metadata.fail(std::string(architecture.name) + ".expert_count",
                  std::to_string(experts) + " experts are out of range");
  std::vector<std::string> weights = quantised ? quantised->names() : checkpoint->names();
  const auto names = std::make_shared<const Names>(
      Names{checkpoint, std::move(quantised), gguf_places(architecture, weights, experts), heads, kv_heads});
  std::erase_if(weights, [](const std::string& name) {
    return std::ranges::find(kGgufConfigTensors, name) != std::end(kGgufConfigTensors);
  });
  return {.file = checkpoint->path(),
          .names = std::move(weights),
          .find = [names](std::string_view name) -> std::optional<Type> {
            if (!names->places.contains(name)) return std::nullopt;
            Builder scratch;  // the expression's type is the family's tensor's
            return expression(*names, scratch, name).type();
          },
          .expression = [names](Builder& builder, std::string_view name) { return expression(*names, builder, name); },
          .random = {}};
}

}  // namespace braid
