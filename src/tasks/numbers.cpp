#include "tasks/numbers.h"

#include "formats/formats.h"

namespace braid {
namespace {

template <class T>
std::vector<int64_t> widen(const Tensor& tensor) {
  const T* from = tensor.data<T>();
  return std::vector<int64_t>(from, from + tensor.elements());
}

}  // namespace

Tensor to_f32(const Tensor& tensor) {
  Tensor out = Tensor::make(tensor.shape, Format::f32);
  const int64_t width = tensor.last();
  for (int64_t r = 0; width > 0 && r < tensor.rows(); ++r)
    decode_row(tensor, r, {out.data<float>() + r * width, static_cast<size_t>(width)});
  return out;
}

std::vector<int64_t> to_integers(const Tensor& tensor) {
  switch (tensor.format) {
    case Format::i64:
      return widen<int64_t>(tensor);
    case Format::i32:
      return widen<int32_t>(tensor);
    case Format::i16:
      return widen<int16_t>(tensor);
    case Format::i8:
      return widen<int8_t>(tensor);
    case Format::u8:
    case Format::boolean:
      return widen<uint8_t>(tensor);
    default:
      return {};
  }
}

}  // namespace braid
