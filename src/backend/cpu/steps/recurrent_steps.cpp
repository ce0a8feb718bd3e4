// Recurrences over each sequence's tokens: the causal convolution and the selective scan of Mamba. Channels are shared
// out among the workers; a sequence's state is read from its slot of the pool, or starts from zeros.

#include <algorithm>
#include <cstring>

#include "backend/cpu/steps/steps.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

constexpr int64_t kChannels = 32;  // per unit of work

/// Where a recurrent op's operands lie.
struct Layout {
  size_t span, pool;
  bool stateful;
};

class RecurrentStep : public Step {
 public:
  RecurrentStep(const StepRequest& request, size_t span)
      : layout_{span, span + 1, request.node.attrs.integer("stateful") != 0} {
    channels_ = request.graph.type(request.node.inputs[0]).last().number();
  }
  void run(const Worker& worker) noexcept override {
    const int64_t sequences = in[layout_.span].last - 1, units = (channels_ + kChannels - 1) / kChannels;
    claim(0, sequences * units, 1, [&](int64_t unit, int64_t) {
      const int64_t s = unit / units, begin = unit % units * kChannels;
      const int32_t* spans = in[layout_.span].ints();
      if (spans[s] == spans[s + 1]) return;
      sequence({s, spans[s], spans[s + 1], begin, std::min(begin + kChannels, channels_)}, worker);
    });
  }

 protected:
  struct Part {
    int64_t sequence, row, end;  // rows of the step
    int64_t c_begin, c_end;      // channels
  };
  virtual void sequence(const Part& part, const Worker& worker) = 0;
  /// The state of a sequence in the pool, or null in the cacheless form; `fresh`: it holds nothing yet.
  float* state(const Part& part, bool* fresh) {
    *fresh = true;
    if (!layout_.stateful) return nullptr;
    const Operand& pool = in[layout_.pool];
    const int64_t slots = pool.sizes[0];
    const int64_t slot = std::clamp<int64_t>(in[layout_.pool + 1].ints()[part.sequence], 0, slots - 1);
    *fresh = in[layout_.pool + 2].ints()[part.sequence] == 0;
    return pool.as<float>() + slot * (pool.elements() / std::max<int64_t>(1, slots));
  }
  Layout layout_;
  int64_t channels_;
};

class CausalConvStep : public RecurrentStep {
 public:
  explicit CausalConvStep(const StepRequest& r)
      : RecurrentStep(r, r.node.attrs.integer("bias") != 0 ? 3 : 2), bias_(r.node.attrs.integer("bias") != 0) {
    width_ = r.graph.type(r.node.inputs[1]).last().number();
  }
  size_t scratch_bytes() const override { return static_cast<size_t>(width_) * 4 + 64; }

 protected:
  void sequence(const Part& part, const Worker& worker) override {
    bool fresh = true;
    float* const pool = state(part, &fresh);
    auto* window = reinterpret_cast<float*>(worker.scratch);  // the last `width` inputs, oldest first
    const int64_t before = width_ - 1;
    for (int64_t c = part.c_begin; c < part.c_end; ++c) {
      for (int64_t i = 0; i < before; ++i) window[i] = fresh ? 0.0f : pool[c * before + i];
      const float* w = in[1].floats() + c * width_;
      const float bias = bias_ ? in[2].floats()[c] : 0.0f;
      for (int64_t t = part.row; t < part.end; ++t) {
        window[before] = in[0].floats()[t * channels_ + c];
        float y = 0;
        for (int64_t i = 0; i < width_; ++i) y += window[i] * w[i];
        out[0].as<float>()[t * channels_ + c] = y + bias;
        std::memmove(window, window + 1, static_cast<size_t>(before) * 4);
      }
      if (pool != nullptr) std::copy_n(window, before, pool + c * before);
    }
  }

 private:
  bool bias_;
  int64_t width_;
};

class SelectiveScanStep : public RecurrentStep {
 public:
  explicit SelectiveScanStep(const StepRequest& r) : RecurrentStep(r, 6), kernels_(r.kernels) {
    const auto last = [&](size_t operand) { return r.graph.type(r.node.inputs[operand]).last().number(); };
    sizes_.channels = channels_;
    sizes_.heads = last(1);
    sizes_.decays = last(2);
    sizes_.groups = r.node.attrs.integer("groups");
    sizes_.state = last(3) / sizes_.groups;
  }
  size_t scratch_bytes() const override { return static_cast<size_t>(channels_ * sizes_.state) * 4 + 64; }

 protected:
  void sequence(const Part& part, const Worker& worker) override {
    bool fresh = true;
    float* h = state(part, &fresh);
    if (h == nullptr) h = reinterpret_cast<float*>(worker.scratch);
    const int64_t size = sizes_.state, wide = sizes_.groups * size;
    if (fresh) std::fill(h + part.c_begin * size, h + part.c_end * size, 0.0f);
    SelectiveScanWork work = sizes_;
    work.x = in[0].floats() + part.row * channels_;
    work.dt = in[1].floats() + part.row * sizes_.heads;
    work.a = in[2].floats();
    work.b = in[3].floats() + part.row * wide;
    work.c = in[4].floats() + part.row * wide;
    work.d = in[5].floats();
    work.h = h;
    work.y = out[0].as<float>() + part.row * channels_;
    work.rows = part.end - part.row;
    work.c_begin = part.c_begin;
    work.c_end = part.c_end;
    kernels_.selective_scan(work);
  }

 private:
  const Kernels& kernels_;
  SelectiveScanWork sizes_;  // without pointers
};

template <class S>
std::unique_ptr<Step> make(const StepRequest& request) {
  return std::make_unique<S>(request);
}
std::string needs_floats(const StepRequest& request) {
  for (ValueId v : request.node.inputs) {
    const Format f = request.graph.type(v).format;
    if (f != Format::f32 && f != Format::i32) return "an operand is " + std::string(info(f).name);
  }
  return {};
}

}  // namespace

const KernelEntry kCausalConv{"causal_conv", "causal_conv", "f32, oldest first", "",
                              1.0,           needs_floats,  make<CausalConvStep>};
const KernelEntry kSelectiveScan{"selective_scan", "selective_scan",       "f32, state in order", "", 1.0,
                                 needs_floats,     make<SelectiveScanStep>};

}  // namespace braid::cpu
