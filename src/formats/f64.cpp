#include "formats/plain.h"

namespace braid {
namespace {

double widen(float x) { return x; }
float narrow(double x) { return static_cast<float>(x); }

}  // namespace

const FormatOps formats::f64 = plain<double, widen, narrow>(Format::f64);

}  // namespace braid
