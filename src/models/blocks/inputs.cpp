#include "models/blocks/inputs.h"

#include <algorithm>

#include "core/error.h"

namespace braid {

Value media(const Step& t, std::string name, std::vector<int64_t> size, size_t fixed) {
  const std::vector<int64_t>& wanted = t.options().source;
  if (!wanted.empty()) {
    const auto end = size.begin() + static_cast<std::ptrdiff_t>(fixed);
    if (wanted.size() != size.size() || !std::equal(size.begin(), end, wanted.begin())) {
      const Shape given(wanted.begin(), wanted.end()), ours(size.begin(), size.end());
      throw UsageError("the input is " + to_string(Type{.shape = given}) + " without the batch, but the model reads " +
                           to_string(Type{.shape = ours}),
                       {.file = {}, .field = name, .offset = {}}, "resize or pad it");
    }
    size = wanted;
  }
  Shape shape{Symbol::sequences};
  shape.insert(shape.end(), size.begin(), size.end());
  return t.builder().input(std::move(name), {.shape = std::move(shape), .format = Format::f32});
}

Value embedding(const Scope& s, Value ids, int64_t count, int64_t width) {
  const Within here(s);
  const Value rows = gather(s.weight({count, width}), ids);
  return rows.type().format == Format::f32 ? rows : cast(rows, Format::f32);
}

}  // namespace braid
