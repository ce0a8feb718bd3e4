#include "formats/plain.h"

namespace braid {
namespace {

float same(float x) { return x; }

}  // namespace

const FormatOps formats::f32 = plain<float, same, same>(Format::f32, WeightClass::f32);

}  // namespace braid
