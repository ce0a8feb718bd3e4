// Convolutions: units of work are an image's output channels and rows.

#include <algorithm>

#include "backend/cpu/steps/steps.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

constexpr int64_t kChannels = 8;  // output channels per unit

class ConvStep : public Step {
 public:
  explicit ConvStep(const StepRequest& r)
      : kernels_(r.kernels), stride_(r.node.attrs.list("stride")), padding_(r.node.attrs.list("padding")) {
    what_.groups = r.node.attrs.integer("groups");
    flat_ = stride_.size() == 1;
  }

  void prepare(const SymbolValues&) override {
    const auto& x = in[0].sizes;
    const auto& w = in[1].sizes;
    const auto& y = out[0].sizes;
    what_.channels = x[1];
    what_.out = y[1];
    what_.height = flat_ ? 1 : x[2];
    what_.width = x.back();
    what_.kh = flat_ ? 1 : w[2];
    what_.kw = w.back();
    what_.oh = flat_ ? 1 : y[2];
    what_.ow = y.back();
    what_.stride_h = flat_ ? 1 : stride_[0];
    what_.pad_h = flat_ ? 0 : padding_[0];
    what_.stride_w = stride_.back();
    what_.pad_w = padding_.back();
    // Rows per unit so that a unit is some hundred thousand multiply-adds.
    extent_ = flat_ ? what_.ow : what_.oh;
    const int64_t per_row =
        std::max<int64_t>(1, (flat_ ? 1 : what_.ow) * what_.channels / what_.groups * what_.kh * what_.kw * kChannels);
    rows_ = std::clamp<int64_t>((1 << 18) / per_row, 1, extent_);
    if (flat_) rows_ = std::min(extent_, (rows_ + 15) / 16 * 16);
  }

  void run(const Worker&) noexcept override {
    const int64_t images = in[0].sizes[0];
    const int64_t row_units = (extent_ + rows_ - 1) / rows_, channel_units = (what_.out + kChannels - 1) / kChannels;
    claim(0, images * channel_units * row_units, 1, [&](int64_t unit, int64_t) {
      const int64_t image = unit / (channel_units * row_units);
      Convolution c = what_;
      c.x = in[0].floats() + image * what_.channels * what_.height * what_.width;
      c.w = in[1].floats();
      c.y = out[0].as<float>() + image * what_.out * what_.oh * what_.ow;
      c.out_begin = unit / row_units % channel_units * kChannels;
      c.out_end = std::min(c.out_begin + kChannels, what_.out);
      c.row_begin = unit % row_units * rows_;
      c.row_end = std::min(c.row_begin + rows_, extent_);
      kernels_.conv(c);
    });
  }

 private:
  const Kernels& kernels_;
  std::vector<int64_t> stride_, padding_;
  Convolution what_;
  bool flat_ = false;
  int64_t rows_ = 1, extent_ = 1;
};

std::string rejects(const StepRequest& request) {
  for (ValueId v : request.node.inputs)
    if (request.graph.type(v).format != Format::f32) return "an operand is not f32";
  return {};
}

}  // namespace

const KernelEntry kConv{"conv",
                        "conv",
                        "f32, channels, then kernel rows, then kernel columns",
                        "",
                        1.0,
                        rejects,
                        [](const StepRequest& r) -> std::unique_ptr<Step> { return std::make_unique<ConvStep>(r); }};

}  // namespace braid::cpu
