// Attention over latents (MLA): append the step's latents to the cache, then the attention kernel page by page. A page
// holds the latents as keys lie, element by element; their copy as values is made here, a page at a time, for several
// heads at once. Pages are merged in order, so a request gives the same bits in any batch.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "backend/cpu/steps/steps.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

constexpr int64_t kCachelessPage = 64;  // page size of the latents of the step itself
constexpr int64_t kHeads = 16;          // of one task
constexpr int64_t kRows = 4;            // query rows of one task

class AttendLatentStep : public Step {
 public:
  explicit AttendLatentStep(const StepRequest& r)
      : kernels_(r.kernels),
        scale_(static_cast<float>(r.node.attrs.number("scale"))),
        value_width_(r.node.attrs.integer("value_width")),
        stateful_(r.node.attrs.integer("stateful") != 0) {
    const auto type = [&](size_t i) { return r.graph.type(r.node.inputs[i]); };
    heads_ = type(0)[1].number();
    width_ = type(0)[2].number();
    const int64_t tokens = r.bounds[Symbol::tokens], sequences = r.bounds[Symbol::sequences];
    tasks_.reserve(static_cast<size_t>(sequences + tokens));
    if (stateful_) {
      format_ = type(3).format;
      page_size_ = type(3)[2].number();
      first_.resize(static_cast<size_t>(type(5)[1].number()), 0);
    } else {
      const int64_t pages = (tokens + page_size_ - 1) / page_size_ + sequences;
      own_.resize(static_cast<size_t>(pages * width_ * page_size_));
      first_.resize(static_cast<size_t>(pages), 0);
    }
  }

  /// A page as values; the results of a page and of those before it; what the kernel needs.
  size_t scratch_bytes() const override {
    const int64_t items = kRows * kHeads;
    return 4 * (attention_scratch_floats(page_size_, width_) +
                static_cast<size_t>(page_size_ * width_ + items * (2 * width_ + 4) + width_) + 64);
  }

  void run(const Worker& worker) noexcept override {
    if (worker.first()) list_tasks();
    worker.barrier();
    const auto tasks = static_cast<int64_t>(tasks_.size());
    claim(0, tasks, 1, [&](int64_t i, int64_t) { append(tasks_[static_cast<size_t>(i)], worker); });
    worker.barrier();
    const int64_t blocks = (heads_ + kHeads - 1) / kHeads;
    // Late rows see the most: begin with them.
    claim(1, tasks * blocks, 1, [&](int64_t unit, int64_t) {
      attend(tasks_[static_cast<size_t>(tasks - 1 - unit / blocks)], unit % blocks * kHeads, worker);
    });
  }

 private:
  /// Some query rows of one sequence.
  struct Task {
    int64_t sequence, row, rows;
    int64_t position;    // of the first row
    int64_t first_page;  // cacheless: of the sequence
  };

  void list_tasks() {
    tasks_.clear();
    const int32_t* spans = in[2].ints();
    int64_t pages = 0;
    for (int64_t s = 0; s + 1 < in[2].last; ++s) {
      const int64_t before = stateful_ ? in[4].ints()[s] : 0;
      for (int64_t row = spans[s]; row < spans[s + 1]; row += kRows)
        tasks_.push_back({s, row, std::min<int64_t>(kRows, spans[s + 1] - row), before + row - spans[s], pages});
      if (!stateful_) pages += (spans[s + 1] - spans[s] + page_size_ - 1) / page_size_;
    }
  }

  std::byte* page(const Task& task, int64_t index) {
    const size_t bytes = static_cast<size_t>(width_ * page_size_) * info(format_).block_bytes;
    if (!stateful_)
      return reinterpret_cast<std::byte*>(own_.data()) + static_cast<size_t>(task.first_page + index) * bytes;
    const int64_t pages = in[3].sizes[0];
    const int64_t number = in[5].ints()[task.sequence * in[5].last + index];
    return in[3].data + static_cast<size_t>(std::clamp<int64_t>(number, 0, pages - 1)) * bytes;
  }

  /// A latent's elements lie page_size apart.
  void append(const Task& task, const Worker& worker) {
    const size_t element = info(format_).block_bytes;
    for (int64_t i = 0; i < task.rows; ++i) {
      const float* row = in[1].floats() + (task.row + i) * width_;
      const auto* from = reinterpret_cast<const std::byte*>(row);
      if (format_ != Format::f32) {
        encode_row(kernels_, format_, row, worker.scratch, width_);
        from = worker.scratch;
      }
      const int64_t position = task.position + i;
      std::byte* to = page(task, position / page_size_) + static_cast<size_t>(position % page_size_) * element;
      for (int64_t d = 0; d < width_; ++d)
        std::memcpy(to + static_cast<size_t>(d * page_size_) * element, from + static_cast<size_t>(d) * element,
                    element);
    }
  }

  template <class T>
  void as_values(const std::byte* from, float* to, int64_t count) const {
    const auto* columns = reinterpret_cast<const T*>(from);
    auto* rows = reinterpret_cast<T*>(to);
    for (int64_t d = 0; d < width_; ++d)
      for (int64_t i = 0; i < count; ++i) rows[i * width_ + d] = columns[d * page_size_ + i];
  }

  void attend(const Task& task, int64_t head, const Worker& worker) {
    const int64_t group = std::min(kHeads, heads_ - head), items = task.rows * group;
    const int64_t keys = task.position + task.rows;
    auto* values = reinterpret_cast<float*>(worker.scratch);
    float *all = values + page_size_ * width_, *all_max = all + items * width_, *all_sum = all_max + items;
    float *part = all_sum + items, *part_max = part + items * width_, *part_sum = part_max + items;
    std::fill_n(all, items * width_, 0.0f);
    std::fill_n(all_max, items, -std::numeric_limits<float>::infinity());
    std::fill_n(all_sum, items, 0.0f);
    for (int64_t begin = 0; begin < keys; begin += page_size_) {
      const std::byte* latents = page(task, begin / page_size_);
      const int64_t count = std::min(page_size_, keys - begin);
      format_ == Format::f32 ? as_values<float>(latents, values, count) : as_values<uint16_t>(latents, values, count);
      Attention a;
      a.q = in[0].floats() + (task.row * heads_ + head) * width_;
      a.q_row_stride = heads_ * width_;
      a.rows = task.rows;
      a.group = group;
      a.head_dim = width_;
      a.first_position = task.position;
      a.scale = scale_;
      a.cache = format_;
      a.page_size = page_size_;
      a.pages = first_.data();  // this page is the first, whatever its place
      a.k = latents;
      a.v = reinterpret_cast<const std::byte*>(values);
      a.key_begin = begin;
      a.key_end = begin + count;
      a.acc = part;
      a.acc_row_stride = group * width_;
      a.max = part_max;
      a.sum = part_sum;
      a.scratch = part_sum + items;
      kernels_.attention(a);
      for (int64_t i = 0; i < items; ++i) {
        const float most = std::max(all_max[i], part_max[i]);
        if (!(most > -std::numeric_limits<float>::infinity())) continue;  // the row has seen nothing yet
        const float old = std::exp(all_max[i] - most), fresh = std::exp(part_max[i] - most);
        for (int64_t d = 0; d < value_width_; ++d)
          all[i * width_ + d] = all[i * width_ + d] * old + part[i * width_ + d] * fresh;
        all_sum[i] = all_sum[i] * old + part_sum[i] * fresh;
        all_max[i] = most;
      }
    }
    for (int64_t i = 0; i < items; ++i) {
      float* y = out[0].as<float>() + ((task.row + i / group) * heads_ + head + i % group) * value_width_;
      for (int64_t d = 0; d < value_width_; ++d) y[d] = all[i * width_ + d] / all_sum[i];
    }
  }

  const Kernels& kernels_;
  float scale_;
  int64_t value_width_, heads_ = 0, width_ = 0, page_size_ = kCachelessPage;
  bool stateful_;
  Format format_ = Format::f32;
  std::vector<float> own_;      // cacheless: pages of the step
  std::vector<int32_t> first_;  // zeros
  std::vector<Task> tasks_;
};

std::string rejects(const StepRequest& request) {
  if (request.node.attrs.integer("stateful") == 0) return {};
  const Format f = request.graph.type(request.node.inputs[3]).format;
  if (f != Format::f32 && f != Format::bf16 && f != Format::f16)
    return "no kernel reads latents of " + std::string(info(f).name);
  return {};
}

}  // namespace

const KernelEntry kAttendLatent{
    "attend_latent",
    "attend_latent",
    "online softmax, pages merged in order",
    "",
    1.0,
    rejects,
    [](const StepRequest& r) -> std::unique_ptr<Step> { return std::make_unique<AttendLatentStep>(r); }};

}  // namespace braid::cpu
