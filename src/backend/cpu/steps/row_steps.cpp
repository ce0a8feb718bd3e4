// Steps that work on one row (or one head) at a time: norms, softmax, conversions, rope.

#include <algorithm>
#include <cmath>

#include "backend/cpu/steps/steps.h"
#include "formats/formats.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

constexpr int64_t kGrainFloats = 8 << 10;

/// Calls `Row::row(r)` for every row, several rows per claim.
template <class Derived>
class RowStep : public Step {
 public:
  void run(const Worker& worker) noexcept override {
    const int64_t grain = std::max<int64_t>(1, kGrainFloats / std::max<int64_t>(1, in[0].last));
    claim(0, in[0].rows, grain, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) static_cast<Derived*>(this)->row(r, worker);
    });
  }
};

class RmsNormStep : public RowStep<RmsNormStep> {
 public:
  explicit RmsNormStep(const StepRequest& r)
      : kernels_(r.kernels), epsilon_(static_cast<float>(r.node.attrs.number("epsilon"))) {}
  void row(int64_t r, const Worker&) {
    const int64_t n = in[0].last;
    kernels_.rms_norm(in[0].floats() + r * n, in[1].floats(), epsilon_, out[0].as<float>() + r * n, n);
  }

 private:
  const Kernels& kernels_;
  float epsilon_;
};

class LayerNormStep : public RowStep<LayerNormStep> {
 public:
  explicit LayerNormStep(const StepRequest& r)
      : kernels_(r.kernels), epsilon_(static_cast<float>(r.node.attrs.number("epsilon"))) {}
  void row(int64_t r, const Worker&) {
    const int64_t n = in[0].last;
    kernels_.layer_norm(in[0].floats() + r * n, in[1].floats(), in.size() > 2 ? in[2].floats() : nullptr, epsilon_,
                        out[0].as<float>() + r * n, n);
  }

 private:
  const Kernels& kernels_;
  float epsilon_;
};

class SoftmaxStep : public RowStep<SoftmaxStep> {
 public:
  explicit SoftmaxStep(const StepRequest& r) : kernels_(r.kernels) {}
  void row(int64_t r, const Worker&) {
    const int64_t n = in[0].last;
    kernels_.softmax(in[0].floats() + r * n, out[0].as<float>() + r * n, n);
  }

 private:
  const Kernels& kernels_;
};

class EncodeStep : public RowStep<EncodeStep> {
 public:
  explicit EncodeStep(const StepRequest& r) : kernels_(r.kernels) {}
  void row(int64_t r, const Worker&) {
    encode_row(kernels_, out[0].type.format, in[0].floats() + r * in[0].last,
               out[0].data + static_cast<size_t>(r) * out[0].row_bytes(), in[0].last);
  }

 private:
  const Kernels& kernels_;
};

/// Any unquantised format to any other, through f32 (i32 values above 2^24 are not asked for by any family).
class CastStep : public RowStep<CastStep> {
 public:
  explicit CastStep(const StepRequest& r)
      : kernels_(r.kernels), bounds_last_(r.graph.type(r.node.inputs[0]).last().at(r.bounds)) {}
  size_t scratch_bytes() const override { return static_cast<size_t>(bounds_last_) * 4 + 64; }
  void row(int64_t r, const Worker& worker) {
    const Operand& x = in[0];
    Operand& y = out[0];
    const std::byte* from = x.data + static_cast<size_t>(r) * x.row_bytes();
    std::byte* to = y.data + static_cast<size_t>(r) * y.row_bytes();
    auto* floats =
        y.type.format == Format::f32 ? reinterpret_cast<float*>(to) : reinterpret_cast<float*>(worker.scratch);
    if (x.type.format == Format::bf16)
      kernels_.decode_bf16(from, floats, x.last);
    else if (x.type.format == Format::f16)
      kernels_.decode_f16(from, floats, x.last);
    else
      format_ops(x.type.format).decode(from, {floats, static_cast<size_t>(x.last)});
    if (y.type.format != Format::f32) encode_row(kernels_, y.type.format, floats, to, x.last);
  }

 private:
  const Kernels& kernels_;
  int64_t bounds_last_;
};

/// The angles depend on the token alone: each worker computes them once per token of its range, for all heads.
class RopeStep : public Step {
 public:
  explicit RopeStep(const StepRequest& r)
      : kernels_(r.kernels),
        rotary_(r.node.attrs.integer("rotary_dim")),
        scale_(static_cast<float>(r.node.attrs.number("scale"))),
        interleaved_(r.node.attrs.integer_or("interleaved", 0) != 0) {}
  size_t scratch_bytes() const override { return static_cast<size_t>(3 * rotary_) * 4 + 64; }

  void run(const Worker& worker) noexcept override {
    const int64_t heads = in[0].sizes[1], dim = in[0].sizes[2], half = rotary_ / 2;
    auto* angles = reinterpret_cast<float*>(worker.scratch);
    float* cos = angles + half;
    float* sin = cos + half;
    claim(0, in[0].sizes[0], 1, [&](int64_t token, int64_t) {
      const auto position = static_cast<float>(in[1].ints()[token]);
      const float* frequency = in[2].floats();
      for (int64_t i = 0; i < half; ++i) angles[i] = position * frequency[i];
      kernels_.unary[static_cast<int>(Unary::cos)](angles, cos, half);
      kernels_.unary[static_cast<int>(Unary::sin)](angles, sin, half);
      if (scale_ != 1.0f)
        for (int64_t i = 0; i < 2 * half; ++i) cos[i] *= scale_;  // cos and sin lie together
      for (int64_t h = 0; h < heads; ++h) {
        const float* x = in[0].floats() + (token * heads + h) * dim;
        float* y = out[0].as<float>() + (token * heads + h) * dim;
        if (interleaved_) {
          for (int64_t i = 0; i < half; ++i) {
            const float a = x[2 * i], b = x[2 * i + 1];
            y[2 * i] = a * cos[i] - b * sin[i];
            y[2 * i + 1] = b * cos[i] + a * sin[i];
          }
        } else {
          kernels_.rope(x, cos, sin, y, half);
        }
        std::copy(x + rotary_, x + dim, y + rotary_);
      }
    });
  }

 private:
  const Kernels& kernels_;
  int64_t rotary_;
  float scale_;
  bool interleaved_;
};

template <class S>
std::unique_ptr<Step> make(const StepRequest& request) {
  return std::make_unique<S>(request);
}

std::string needs_floats(const StepRequest& request) {
  for (ValueId v : request.node.inputs)
    if (request.graph.type(v).format != Format::f32)
      return "an operand is " + std::string(info(request.graph.type(v).format).name);
  return {};
}

std::string rejects_rope(const StepRequest& request) {
  const Graph& graph = request.graph;
  if (graph.type(request.node.inputs[0]).format != Format::f32) return "x is not f32";
  return {};
}

std::string rejects_cast(const StepRequest& request) {
  const Format to = request.node.types.front().format;
  const Format from = request.graph.type(request.node.inputs[0]).format;
  if (is_quantized(from) || is_quantized(to)) return "a cast between quantised formats";
  return {};
}

}  // namespace

const KernelEntry kRmsNorm{"rms_norm", "rms_norm", "f32, whole row", "", 1.0, needs_floats, make<RmsNormStep>};
const KernelEntry kLayerNorm{"layer_norm", "layer_norm", "f32, whole row", "", 1.0, needs_floats, make<LayerNormStep>};
const KernelEntry kSoftmax{"softmax", "softmax", "f32, whole row", "", 1.0, needs_floats, make<SoftmaxStep>};
const KernelEntry kEncode{"encode", "quantize", "", "", 1.0, needs_floats, make<EncodeStep>};
const KernelEntry kCast{"cast", "cast", "", "", 1.0, rejects_cast, make<CastStep>};
const KernelEntry kRope{"rope", "rope", "", "", 1.0, rejects_rope, make<RopeStep>};

}  // namespace braid::cpu
