#include "core/type.h"

#include "core/error.h"
#include "core/limits.h"

namespace braid {

std::string_view name(Symbol symbol) {
  constexpr std::string_view kNames[kSymbols] = {"",      "tokens",       "sequences", "rows",        "source",
                                                 "pages", "window_pages", "slots",     "source_slots"};
  return kNames[static_cast<size_t>(symbol)];
}

std::string_view name(Layout layout) {
  switch (layout) {
    case Layout::row_major:
      return "row_major";
    case Layout::interleave16:
      return "interleave16";
  }
  return "?";
}

int64_t Dim::number() const {
  if (!is_number()) throw ShapeError("dimension " + to_string(*this) + " is not a number");
  return constant;
}

Dim Dim::operator*(int64_t n) const {
  Dim out = *this;
  out.constant *= n;
  out.scale *= n;
  if (out.scale == 0) out.symbol = Symbol::none;
  return out;
}

Dim Dim::operator/(int64_t n) const {
  if (n == 0 || constant % n != 0 || scale % n != 0)
    throw ShapeError("dimension " + to_string(*this) + " is not divisible by " + std::to_string(n));
  Dim out = *this;
  out.constant /= n;
  out.scale /= n;
  return out;
}

Dim Dim::operator+(int64_t n) const {
  Dim out = *this;
  out.constant += n;
  return out;
}

std::string to_string(const Dim& dim) {
  if (dim.is_number()) return std::to_string(dim.constant);
  std::string text;
  if (dim.scale != 1) text = std::to_string(dim.scale) + "*";
  text += name(dim.symbol);
  if (dim.constant > 0) text += "+" + std::to_string(dim.constant);
  if (dim.constant < 0) text += std::to_string(dim.constant);
  return text;
}

std::string to_string(const Type& type) {
  std::string text(info(type.format).name);
  text += "[";
  for (size_t i = 0; i < type.shape.size(); ++i) text += (i ? ", " : "") + to_string(type.shape[i]);
  text += "]";
  if (type.layout != Layout::row_major) text += ":" + std::string(name(type.layout));
  return text;
}

uint64_t byte_size(const Type& type, const SymbolValues& values) {
  const Place place{.file = {}, .field = to_string(type), .offset = {}};
  if (type.shape.empty()) return info(type.format).block_bytes;
  const int64_t last = type.shape.back().at(values);
  if (!fits(type.format, static_cast<uint64_t>(last)))
    throw ShapeError(
        "rows of " + std::to_string(last) + " elements are not whole blocks of " + std::string(info(type.format).name),
        place);
  uint64_t bytes =
      checked_mul(static_cast<uint64_t>(last) / info(type.format).block_elements, info(type.format).block_bytes, place);
  for (size_t i = 0; i + 1 < type.shape.size(); ++i) {
    uint64_t n = static_cast<uint64_t>(type.shape[i].at(values));
    if (type.layout == Layout::interleave16 && i + 2 == type.shape.size()) n = (n + 15) / 16 * 16;
    bytes = checked_mul(bytes, n, place);
  }
  return bytes;
}

int64_t element_count(const Shape& shape, const SymbolValues& values) {
  int64_t count = 1;
  for (const Dim& dim : shape) count *= dim.at(values);
  return count;
}

std::vector<int64_t> sizes_at(const Shape& shape, const SymbolValues& values) {
  std::vector<int64_t> sizes;
  sizes.reserve(shape.size());
  for (const Dim& dim : shape) sizes.push_back(dim.at(values));
  return sizes;
}

}  // namespace braid
