// Recurrences over each sequence's tokens: the causal convolution and the selective scan of Mamba, and the gated delta
// rule. Channels (or heads) are shared out among the workers; a sequence's state is read from its slot of the pool, or
// starts from zeros.

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
      : RecurrentStep(request, span, request.graph.type(request.node.inputs[0]).last().number(), kChannels) {}
  /// `channels`, `grain` at a time.
  RecurrentStep(const StepRequest& request, size_t span, int64_t channels, int64_t grain)
      : layout_{span, span + 1, request.node.attrs.integer("stateful") != 0}, channels_(channels), grain_(grain) {}
  void run(const Worker& worker) noexcept override {
    const int64_t sequences = in[layout_.span].last - 1, units = (channels_ + grain_ - 1) / grain_;
    claim(0, sequences * units, 1, [&](int64_t unit, int64_t) {
      const int64_t s = unit / units, begin = unit % units * grain_;
      const int32_t* spans = in[layout_.span].ints();
      if (spans[s] == spans[s + 1]) return;
      sequence({s, spans[s], spans[s + 1], begin, std::min(begin + grain_, channels_)}, worker);
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
  int64_t channels_, grain_;
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

/// Heads are its channels.
class GatedDeltaStep : public RecurrentStep {
 public:
  explicit GatedDeltaStep(const StepRequest& r)
      : RecurrentStep(r, 5, r.graph.type(r.node.inputs[2])[1].number(), 1), kernels_(r.kernels) {
    const auto size = [&](size_t operand, size_t axis) { return r.graph.type(r.node.inputs[operand])[axis].number(); };
    sizes_.heads = channels_;
    sizes_.per_key = channels_ / size(0, 1);
    sizes_.key_dim = size(0, 2);
    sizes_.value_dim = size(2, 2);
  }
  size_t scratch_bytes() const override { return static_cast<size_t>(channels_ * matrix()) * 4 + 64; }

 protected:
  void sequence(const Part& part, const Worker& worker) override {
    bool fresh = true;
    float* s = state(part, &fresh);
    if (s == nullptr) s = reinterpret_cast<float*>(worker.scratch);
    s += part.c_begin * matrix();
    if (fresh) std::fill_n(s, matrix(), 0.0f);
    const int64_t key = part.row * (sizes_.heads / sizes_.per_key) + part.c_begin / sizes_.per_key;
    const int64_t head = part.row * sizes_.heads + part.c_begin;
    GatedDeltaWork work = sizes_;
    work.q = in[0].floats() + key * sizes_.key_dim;
    work.k = in[1].floats() + key * sizes_.key_dim;
    work.v = in[2].floats() + head * sizes_.value_dim;
    work.g = in[3].floats() + head;
    work.beta = in[4].floats() + head;
    work.s = s;
    work.y = out[0].as<float>() + head * sizes_.value_dim;
    work.rows = part.end - part.row;
    kernels_.gated_delta(work);
  }

 private:
  int64_t matrix() const { return sizes_.key_dim * sizes_.value_dim; }
  const Kernels& kernels_;
  GatedDeltaWork sizes_;  // without pointers
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
const KernelEntry kGatedDelta{"gated_delta", "gated_delta",       "f32, keys in order, four sums", "", 1.0,
                              needs_floats,  make<GatedDeltaStep>};

}  // namespace braid::cpu
