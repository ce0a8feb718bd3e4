// Attention over ragged sequences: append keys and values to the cache, then one pass of online softmax per (sequence,
// key-value head, query rows). Partial results are cut at fixed absolute key positions (kChunkKeys) and merged left to
// right, whether the chunks were computed by one worker or by several: so a request gives the same bits in any batch.

#include <algorithm>
#include <cstring>

#include "backend/cpu/steps/steps.h"
#include "ops/ops.h"

namespace braid::cpu {
namespace {

constexpr int64_t kChunkKeys = 512;     // keys per partial
constexpr int64_t kCachelessPage = 64;  // page size of keys of the step itself
constexpr int64_t kFewTokens = 16;      // up to here chunks are shared out among the workers
constexpr int64_t kRowsPerTask = 32;    // query rows of one task when there are many

enum class Cache : uint8_t { none, paged, source };

class AttendStep : public Step {
 public:
  explicit AttendStep(const StepRequest& request) : kernels_(request.kernels) {
    const std::string cache = request.node.attrs.text("cache");
    cache_ = cache == "none" ? Cache::none : cache == "paged" ? Cache::paged : Cache::source;
    scale_ = static_cast<float>(request.node.attrs.number("scale"));
    causal_ = cache_ != Cache::source && request.node.attrs.integer("causal") != 0;
    const Attrs& attrs = request.node.attrs;
    window_ = attrs.integer_or("window", 0);
    soft_cap_ = static_cast<float>(attrs.number_or("soft_cap", 0));
    slopes_ = static_cast<size_t>(attrs.integer_or("slopes", 0));
    relative_ = static_cast<size_t>(attrs.integer_or("relative", 0));
    sinks_ = static_cast<size_t>(attrs.integer_or("sinks", 0));
    lengths_ = static_cast<size_t>(attrs.integer_or("lengths", 0));
    query_relative_ = static_cast<size_t>(attrs.integer_or("query_relative", 0));
    key_relative_ = static_cast<size_t>(attrs.integer_or("key_relative", 0));
    const auto type = [&](size_t i) { return request.graph.type(request.node.inputs[i]); };
    spans_are_inputs_ = lengths_ == 0 && request.graph.node(request.node.inputs[span_operand()]).op == &op::input;
    heads_ = type(0)[1].number();
    head_dim_ = type(0)[2].number();
    max_tokens_ = type(0)[0].at(request.bounds);
    max_sequences_ = request.bounds[Symbol::sequences];
    if (cache_ == Cache::none) {
      kv_heads_ = type(1)[1].number();
      format_ = Format::f32;
      page_size_ = kCachelessPage;
      max_keys_ = max_tokens_;
      own_pages_ = (max_tokens_ + page_size_ - 1) / page_size_ + max_sequences_;
      keys_.resize(static_cast<size_t>(own_pages_ * page_floats()));
      values_.resize(keys_.size());
      own_table_.resize(static_cast<size_t>(own_pages_));
      for (int64_t p = 0; p < own_pages_; ++p) own_table_[static_cast<size_t>(p)] = static_cast<int32_t>(p);
    } else {
      const Type& k = type(cache_ == Cache::paged ? 3 : 1);
      kv_heads_ = k[1].number();
      format_ = k.format;
      page_size_ = k[3].number();
      max_keys_ = cache_ == Cache::paged ? page_size_ * type(7)[1].number() : page_size_;
    }
    group_ = heads_ / kv_heads_;
    max_chunks_ = (max_keys_ + chunk() - 1) / chunk();
    few_class_ = max_tokens_ <= kFewTokens;
    tasks_.reserve(static_cast<size_t>(max_sequences_ + max_tokens_));
    partial_.resize(few_class_ ? static_cast<size_t>(max_tokens_ * heads_ * max_chunks_ * partial_floats()) : 0);
  }

  size_t scratch_bytes() const override {
    size_t floats = attention_scratch_floats(page_size_, head_dim_) + static_cast<size_t>(page_size_ + head_dim_);
    if (!few_class_) floats += static_cast<size_t>(rows_per_task() * group_ * max_chunks_ * partial_floats());
    return (floats + 64) * sizeof(float);
  }

  void prepare(const SymbolValues&) override {
    if (spans_are_inputs_) list_tasks();
  }

  void run(const Worker& worker) noexcept override {
    if (!spans_are_inputs_) {
      if (worker.first()) list_tasks();
      worker.barrier();
    }
    attend(worker);
  }

 private:
  void list_tasks() {
    // One task: some query rows of one sequence. Heads (and chunks, when tokens are few) multiply them.
    tasks_.clear();
    const int32_t* spans = span_start().ints();
    const int64_t sequences = span_start().last - 1;
    int64_t pages = 0;
    most_chunks_ = 1;
    for (int64_t s = 0; s < sequences; ++s) {
      const int64_t begin = spans[s], end = spans[s + 1];
      const int64_t before = cache_ == Cache::paged ? in[6].ints()[s] : 0;
      const int64_t keys = cache_ == Cache::source ? source_keys(s) : before + end - begin;
      const int64_t rows = few_class_ ? kFewTokens : rows_per_task();
      for (int64_t r = begin; r < end; r += rows)
        tasks_.push_back({s, r, std::min(rows, end - r), before + (r - begin), keys, pages});
      if (cache_ == Cache::none) pages += (end - begin + page_size_ - 1) / page_size_;
      most_chunks_ = std::max(most_chunks_, (keys + chunk() - 1) / chunk());
    }
  }

  void attend(const Worker& worker) {
    if (cache_ != Cache::source) {
      append(worker);
      worker.barrier();
    }
    auto* scratch = reinterpret_cast<float*>(worker.scratch);
    const auto tasks = static_cast<int64_t>(tasks_.size());
    if (!few_class_) {
      // Long queries at the end of a causal prompt see the most keys: begin with them.
      claim(1, tasks * kv_heads_, 1, [&](int64_t unit, int64_t) {
        const Task& task = tasks_[static_cast<size_t>(tasks - 1 - unit / kv_heads_)];
        float* partials = scratch + attention_scratch_floats(page_size_, head_dim_);
        const int64_t chunks = chunks_of(task);
        for (int64_t c = 0; c < chunks; ++c)
          attend_chunk(task, unit % kv_heads_, c, {partials, chunks, rows_per_task()}, scratch);
        merge(task, unit % kv_heads_, {partials, chunks, rows_per_task()});
      });
      return;
    }
    claim(1, tasks * kv_heads_ * most_chunks_, 1, [&](int64_t unit, int64_t) {
      const Task& task = tasks_[static_cast<size_t>(unit / (kv_heads_ * most_chunks_))];
      const int64_t head = unit / most_chunks_ % kv_heads_, c = unit % most_chunks_;
      if (c < chunks_of(task)) attend_chunk(task, head, c, shared_partials(task, head), scratch);
    });
    worker.barrier();
    claim(2, tasks * kv_heads_, 1, [&](int64_t unit, int64_t) {
      const Task& task = tasks_[static_cast<size_t>(unit / kv_heads_)];
      merge(task, unit % kv_heads_, shared_partials(task, unit % kv_heads_));
    });
  }

  struct Task {
    int64_t sequence, row, rows;
    int64_t position;    // of the first row
    int64_t keys;        // that the sequence has after this step
    int64_t first_page;  // cacheless: of the sequence
  };
  /// Partials of one (task, head): rows × group × chunks, each accumulators (head_dim), maximum, sum.
  struct Partials {
    float* at;
    int64_t chunks;
    int64_t rows;
  };

  /// Keys of a sequence's source that count.
  int64_t source_keys(int64_t sequence) const {
    return lengths_ == 0 ? page_size_ : std::clamp<int64_t>(in[lengths_].ints()[sequence], 0, page_size_);
  }
  int64_t chunk() const { return (kChunkKeys + page_size_ - 1) / page_size_ * page_size_; }
  int64_t partial_floats() const { return head_dim_ + 2; }
  int64_t page_floats() const { return kv_heads_ * head_dim_ * page_size_; }
  int64_t rows_per_task() const { return std::max<int64_t>(1, kRowsPerTask / std::max<int64_t>(1, group_ / 4)); }
  size_t span_operand() const { return cache_ == Cache::paged ? 5 : 3; }
  const Operand& span_start() const { return in[span_operand()]; }
  /// Chunks that the last row of the task sees.
  int64_t chunks_of(const Task& task) const {
    const int64_t keys = causal_ ? std::min(task.keys, task.position + task.rows) : task.keys;
    return (keys + chunk() - 1) / chunk();
  }
  Partials shared_partials(const Task& task, int64_t head) {
    float* at = partial_.data() + ((task.row * kv_heads_ + 0) * group_ * max_chunks_) * partial_floats();
    // Rows of one task lie together per head: (row block, head, row, group, chunk).
    at += head * task.rows * group_ * max_chunks_ * partial_floats();
    return {at, max_chunks_, task.rows};
  }

  /// Rows of keys and values of this step into the pages.
  void append(const Worker&) {
    const Operand& k = in[1];
    const Operand& v = in[2];
    std::byte* k_base = cache_ == Cache::paged ? in[3].data : reinterpret_cast<std::byte*>(keys_.data());
    std::byte* v_base = cache_ == Cache::paged ? in[4].data : reinterpret_cast<std::byte*>(values_.data());
    const size_t element = info(format_).block_bytes;
    const auto tasks = static_cast<int64_t>(tasks_.size());
    claim(0, tasks * kv_heads_, 1, [&](int64_t unit, int64_t) {
      const Task& task = tasks_[static_cast<size_t>(unit / kv_heads_)];
      const int64_t head = unit % kv_heads_;
      for (int64_t i = 0; i < task.rows; ++i) {
        const int64_t position = task.position + i;
        const int64_t page = page_of(task, position / page_size_);
        const int64_t slot = position % page_size_;
        const int64_t base = page * page_floats() + head * head_dim_ * page_size_;
        const float* k_row = k.floats() + ((task.row + i) * kv_heads_ + head) * head_dim_;
        const float* v_row = v.floats() + ((task.row + i) * kv_heads_ + head) * head_dim_;
        store(v_row, v_base + static_cast<size_t>(base + slot * head_dim_) * element);
        store_column(k_row, k_base + static_cast<size_t>(base + slot) * element);
      }
    });
  }
  void store(const float* row, std::byte* to) const {
    if (format_ == Format::f32)
      std::memcpy(to, row, static_cast<size_t>(head_dim_) * 4);
    else
      encode_row(kernels_, format_, row, to, head_dim_);
  }
  /// A key's elements lie page_size apart.
  void store_column(const float* row, std::byte* to) const {
    alignas(64) std::byte packed[2 * 64];
    const size_t element = info(format_).block_bytes;
    for (int64_t d = 0; d < head_dim_; d += 64) {
      const int64_t count = std::min<int64_t>(64, head_dim_ - d);
      const std::byte* from = reinterpret_cast<const std::byte*>(row + d);
      if (format_ != Format::f32) {
        encode_row(kernels_, format_, row + d, packed, count);
        from = packed;
      }
      for (int64_t i = 0; i < count; ++i)
        std::memcpy(to + static_cast<size_t>((d + i) * page_size_) * element, from + static_cast<size_t>(i) * element,
                    element);
    }
  }

  int64_t page_of(const Task& task, int64_t index) const {
    if (cache_ == Cache::none) return task.first_page + index;
    return in[7].ints()[task.sequence * in[7].last + index];
  }

  void attend_chunk(const Task& task, int64_t head, int64_t c, const Partials& partials, float* scratch) {
    Attention a;
    a.q = in[0].floats() + (task.row * heads_ + head * group_) * head_dim_;
    a.q_row_stride = heads_ * head_dim_;
    a.rows = task.rows;
    a.group = group_;
    a.head_dim = head_dim_;
    a.first_position = task.position;
    a.causal = causal_;
    a.scale = scale_;
    a.window = window_;
    a.soft_cap = soft_cap_;
    if (slopes_ != 0) a.slopes = in[slopes_].floats() + head * group_;
    if (relative_ != 0) {
      a.relative = in[relative_].floats() + head * group_ * in[relative_].last;
      a.reach = in[relative_].last / 2;
    }
    hook_rows(a, task, head);
    a.cache = format_;
    a.page_size = page_size_;
    const size_t element = info(format_).block_bytes;
    a.page_bytes = static_cast<size_t>(page_floats()) * element;
    const std::byte* k = cache_ == Cache::paged    ? in[3].data
                         : cache_ == Cache::source ? in[1].data
                                                   : reinterpret_cast<std::byte*>(keys_.data());
    const std::byte* v = cache_ == Cache::paged    ? in[4].data
                         : cache_ == Cache::source ? in[2].data
                                                   : reinterpret_cast<std::byte*>(values_.data());
    const size_t of_head = static_cast<size_t>(head * head_dim_ * page_size_) * element;
    a.k = k + of_head;
    a.v = v + of_head;
    if (cache_ == Cache::none) a.pages = own_table_.data() + task.first_page;
    if (cache_ == Cache::paged) a.pages = in[7].ints() + task.sequence * in[7].last;
    if (cache_ == Cache::source) a.pages = in[4].ints() + task.sequence;  // one page per source
    a.key_begin = c * chunk();
    a.key_end = std::min(task.keys, a.key_begin + chunk());
    const int64_t items = partials.rows * group_;
    // Per chunk: accumulators of all rows, then maxima, then sums.
    float* at = partials.at + c * items * partial_floats();
    a.acc = at;
    a.acc_row_stride = group_ * head_dim_;
    a.max = at + items * head_dim_;
    a.sum = a.max + items;
    a.scratch = scratch;
    kernels_.attention(a);
  }

  /// Biases by row: (heads, tokens, distances).
  void hook_rows(Attention& a, const Task& task, int64_t head) const {
    if (query_relative_ == 0 && key_relative_ == 0) return;
    const Operand& any = in[query_relative_ != 0 ? query_relative_ : key_relative_];
    a.row_reach = any.last / 2;
    a.by_row_stride = any.sizes[1] * any.last;
    const int64_t of_head = head * group_ * a.by_row_stride;
    if (query_relative_ != 0) a.query_relative = in[query_relative_].floats() + of_head + task.row * any.last;
    if (key_relative_ != 0)  // a sequence's first key has its first row
      a.key_relative = in[key_relative_].floats() + of_head + (task.row - task.position) * any.last;
  }

  void merge(const Task& task, int64_t head, const Partials& partials) {
    const int64_t items = partials.rows * group_, chunks = chunks_of(task);
    const int64_t stride = items * partial_floats();
    for (int64_t r = 0; r < task.rows; ++r) {
      const int64_t keys = causal_ ? std::min(task.keys, task.position + r + 1) : task.keys;
      const int64_t seen = std::min(chunks, (keys + chunk() - 1) / chunk());
      for (int64_t g = 0; g < group_; ++g) {
        const int64_t item = r * group_ + g;
        const float* max = partials.at + items * head_dim_ + item;
        float* to = out[0].as<float>() + ((task.row + r) * heads_ + head * group_ + g) * head_dim_;
        kernels_.merge_attention({.acc = partials.at + item * head_dim_,
                                  .max = max,
                                  .sum = max + items,
                                  .sink = sinks_ != 0 ? in[sinks_].floats() + head * group_ + g : nullptr,
                                  .count = seen,
                                  .acc_stride = stride,
                                  .scalar_stride = stride,
                                  .head_dim = head_dim_},
                                 to);
      }
    }
  }

  const Kernels& kernels_;
  Cache cache_;
  Format format_;
  bool causal_, few_class_, spans_are_inputs_;
  float scale_, soft_cap_;
  size_t slopes_, relative_, sinks_, lengths_, query_relative_, key_relative_;  // which operands these are; 0: absent
  int64_t window_;
  int64_t heads_, kv_heads_, head_dim_, group_, page_size_, max_keys_, max_chunks_, max_tokens_, max_sequences_;
  int64_t own_pages_ = 0, most_chunks_ = 1;
  std::vector<float> keys_, values_, partial_;
  std::vector<int32_t> own_table_;
  std::vector<Task> tasks_;
};

std::string rejects(const StepRequest& request) {
  const Node& node = request.node;
  const bool source = node.attrs.text("cache") == "source";
  if (request.graph.type(node.inputs[0]).format != Format::f32) return "queries are not f32";
  if (node.attrs.text("cache") != "none") {
    const Type& k = request.graph.type(node.inputs[source ? 1 : 3]);
    if (k.format != Format::f32 && k.format != Format::bf16 && k.format != Format::f16)
      return "no kernel reads keys of " + std::string(info(k.format).name);
  }
  return {};
}

}  // namespace

const KernelEntry kAttend{
    "attend",
    "attend",
    "online softmax, pages in order, partials of 512 keys merged left to right",
    "",
    1.0,
    rejects,
    [](const StepRequest& r) -> std::unique_ptr<Step> { return std::make_unique<AttendStep>(r); }};

}  // namespace braid::cpu
