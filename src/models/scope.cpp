#include "models/scope.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "models/names.h"

namespace braid {

TensorShapeError::TensorShapeError(const Type& found, Shape expected, const Place& place)
    : Error("the tensor is " + to_string(found) + ", but the config makes it " +
                to_string(Type{.shape = expected, .format = found.format}),
            place, "take the config.json that belongs to this checkpoint"),
      found_(found.shape),
      expected_(std::move(expected)) {}

std::vector<std::string> spellings(std::string name, std::span<const Rename> renames) {
  std::vector<std::string> names{std::move(name)};
  for (const Rename& rename : renames) {
    const size_t known = names.size();
    for (size_t i = 0; i < known; ++i) {
      std::string other = names[i];
      const size_t at = other.find(rename.ours);
      if (at != std::string::npos) names.push_back(other.replace(at, rename.ours.size(), rename.theirs));
    }
  }
  return names;
}

Scope::Scope(Builder& builder, const TensorIndex& tensors, std::vector<Rename> renames)
    : root_(std::make_shared<const Root>(&builder, &tensors, std::move(renames))) {}

std::string Scope::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

Scope Scope::operator[](std::string_view name) const { return {root_, path_of(name)}; }

Value Scope::find(std::string_view name, const Shape& shape, Format random) const {
  const TensorIndex& tensors = *root_->tensors;
  const std::string ours = path_of(name);
  if (tensors.random) return builder().parameter(ours, {.shape = shape, .format = random});
  for (const std::string& spelling : spellings(ours, root_->renames)) {
    std::optional<Type> type = tensors.find(spelling);
    if (!type) continue;
    const Place place{.file = tensors.file, .field = spelling, .offset = {}};
    if (type->shape != shape) throw TensorShapeError(*type, shape, place);
    if (!info(type->format).floating && !is_quantized(type->format))
      throw Error("a weight cannot be " + std::string(info(type->format).name), place);
    return tensors.expression ? tensors.expression(builder(), spelling)
                              : builder().parameter(spelling, *std::move(type));
  }
  const std::vector<std::string> near = near_names(ours, tensors.names);
  const std::string sizes = to_string(Type{.shape = shape, .format = Format::f32});  // of any format
  throw Error("the checkpoint lacks this tensor, which the config makes " + sizes.substr(sizes.find('[')),
              {.file = tensors.file, .field = ours, .offset = {}},
              near.empty() ? "take the config.json that belongs to this checkpoint" : "it has " + join(near));
}

bool Scope::has(std::string_view name) const {
  const TensorIndex& tensors = *root_->tensors;
  return tensors.random ||
         std::ranges::any_of(spellings(path_of(name), root_->renames),
                             [&](const std::string& spelling) { return tensors.find(spelling).has_value(); });
}

Value Scope::parameter(std::string_view name, const Shape& shape) const {
  const Format random = root_->tensors->random.value_or(Format::f32);
  return find(name, shape, is_quantized(random) ? Format::f32 : random);
}

Value Scope::weight(const Shape& shape) const {
  const Format random = root_->tensors->random.value_or(Format::f32);
  return find("weight", shape, fits(random, static_cast<uint64_t>(shape.back().number())) ? random : Format::f32);
}

Value Scope::transposed_weight(const Shape& shape) const {
  const TensorIndex& tensors = *root_->tensors;
  if (!tensors.random)
    for (const std::string& spelling : spellings(path_of("weight^T"), root_->renames))
      if (tensors.find(spelling)) return find("weight^T", shape, Format::f32);
  return transpose(parameter("weight", {shape[1], shape[0]}), {1, 0});
}

Value Scope::floats(std::string_view name, const Shape& shape) const {
  const Value value = parameter(name, shape);
  return value.type().format == Format::f32 ? value : cast(value, Format::f32);
}

Value Scope::project(std::string_view name, Value x, int64_t size, bool bias) const {
  const Scope s = (*this)[name];
  const Within here(s);
  const Value weight = s.weight({size, x.dim(-1)});
  return linear(x, weight, bias ? s.floats("bias", {size}) : Value{});
}

Within::Within(const Scope& scope) : builder_(scope.builder()), before_(builder_.scope()) {
  builder_.set_scope(scope.path());
}

Within::~Within() { builder_.set_scope(std::move(before_)); }

}  // namespace braid
