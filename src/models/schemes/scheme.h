#pragma once
// Checkpoints that a tool quantised (config.json: quantization_config): a scheme knows what the tensors of a module
// mean, and gives each weight as rows of codes with scales. Loading puts those into one of our formats, bit for bit the
// same numbers: nothing is rounded.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/checkpoint.h"
#include "files/config.h"

namespace braid {

/// Rows [begin, begin + count) of a weight.
struct CodedRows {
  int64_t begin = 0, count = 0;
  std::span<uint8_t> codes;  ///< (count, columns)
  std::span<float> scales;   ///< (count, groups)
  std::span<uint8_t> zeros;  ///< (count, groups), 0 unless the scheme sets them
};

/// A weight of a quantised checkpoint: (rows, columns), columns along the product's reduction.
struct CodedWeight {
  std::string name;                 ///< "model.layers.0.mlp.up_proj.weight"
  std::vector<std::string> stored;  ///< the tensors that it is made of
  std::vector<int64_t> shape;       ///< (rows, columns) or (experts, rows, columns)
  bool transposed = false;  ///< the family's own tensor is the transpose of each matrix (name: with "^T" for ours)
  int64_t group = 0;        ///< columns that share a scale; the last group may be short
  std::vector<int32_t> group_of = {};  ///< of each column (act-order); empty: column / group
  std::vector<Format> formats;         ///< what it may become, the best first: the first whose blocks fit
  std::string scale_tensor;            ///< for errors
  std::function<void(const CodedRows&)> read;

  int64_t columns() const { return shape.back(); }
  int64_t rows() const;
  int64_t groups() const { return (columns() + group - 1) / group; }
  /// Columns group by group, where act-order scatters groups that are all of one size: a place where they lie together.
  /// Empty: there is no need, or it does not help.
  std::vector<int32_t> order = {};
  /// The first of `formats` whose blocks divide the rows and the groups; f32 where none does, as it is with act-order
  /// unless the columns are taken in `order`.
  Format format(bool in_order = false) const;
  Type type(bool in_order = false) const {
    return {.shape = Shape(shape.begin(), shape.end()), .format = format(in_order)};
  }
};

/// The tensors of a module of a checkpoint, checked as they are asked for: every error names file, tensor and offset.
class QuantizedModule {
 public:
  QuantizedModule(const Checkpoint& checkpoint, std::string name) : checkpoint_(checkpoint), name_(std::move(name)) {}
  const std::string& name() const { return name_; }
  std::string path(std::string_view leaf) const { return name_ + "." + std::string(leaf); }
  bool has(std::string_view leaf) const { return checkpoint_.has(path(leaf)); }
  const TensorEntry& entry(std::string_view leaf) const;
  /// Of one of these formats and of this many dimensions.
  Tensor tensor(std::string_view leaf, std::initializer_list<Format> formats, size_t rank) const;
  /// Of exactly this shape.
  Tensor shaped(std::string_view leaf, std::initializer_list<Format> formats, const std::vector<int64_t>& shape) const;
  /// Those of these tensors that the module has, by their full names.
  std::vector<std::string> present(std::initializer_list<std::string_view> leaves) const;
  /// `element`: where in the tensor, in elements.
  [[noreturn]] void fail(std::string_view leaf, std::string what, std::string advice = {}, int64_t element = 0) const;

 private:
  const Checkpoint& checkpoint_;
  std::string name_;
};

/// Reads one module; nothing when it is not quantised. Tensors that the closures of a CodedWeight read are maps, so the
/// checkpoint must outlive them.
using SchemeReader = std::function<std::vector<CodedWeight>(const QuantizedModule&)>;

/// All weights of a quantised checkpoint.
class QuantizedCheckpoint {
 public:
  /// Null when the config has no quantization_config. Throws Error: an unknown quant_method, options that a scheme does
  /// not have, tensors of wrong formats or shapes. Reads headers only.
  static std::shared_ptr<const QuantizedCheckpoint> open(const Config& config,
                                                         std::shared_ptr<const Checkpoint> checkpoint);
  /// GGUF's nvfp4 tensors whose factor lies in a tensor of its own. Null when there are none.
  static std::shared_ptr<const QuantizedCheckpoint> open(std::shared_ptr<const Checkpoint> gguf);

  const CodedWeight* find(std::string_view name) const;
  /// The checkpoint's tensors with each weight once, sorted.
  const std::vector<std::string>& names() const { return names_; }
  /// The weight in its format, made in parallel; `in_order`: with its columns in the weight's `order`. Throws Error:
  /// scales that are not finite.
  Tensor make(const CodedWeight& weight, bool in_order = false) const;
  const Checkpoint& checkpoint() const { return *checkpoint_; }

 private:
  explicit QuantizedCheckpoint(std::shared_ptr<const Checkpoint> checkpoint) : checkpoint_(std::move(checkpoint)) {}
  void add(CodedWeight weight);
  void finish();

  std::shared_ptr<const Checkpoint> checkpoint_;
  std::map<std::string, CodedWeight, std::less<>> weights_;
  std::vector<std::string> names_;
};

// ---- What schemes share.

/// Number `i` of a stream of `bits`-bit numbers in words of 32 bits, lowest first, across word borders. Words lie
/// `stride` apart.
inline uint8_t bits_at(const uint32_t* words, int64_t stride, int bits, int64_t i) {
  const int64_t bit = i * bits, word = bit / 32;
  const auto shift = static_cast<int>(bit % 32);
  uint64_t value = words[word * stride];
  if (shift + bits > 32) value |= static_cast<uint64_t>(words[(word + 1) * stride]) << 32;
  return static_cast<uint8_t>(value >> shift & ((1u << bits) - 1));
}
/// A float tensor as f32.
std::vector<float> floats_of(const Tensor& tensor);
/// The formats of integers of `bits` bits.
std::vector<Format> integer_formats(int bits);

/// AWQ's layout ("gemm") and GPTQ's (1: zero points are stored less one), which auto-round takes over.
CodedWeight awq_weight(const QuantizedModule& module);
CodedWeight gptq_weight(const QuantizedModule& module, bool zeros_less_one);

#define SCHEME(name) SchemeReader name##_scheme(const Config& how);
#include "models/schemes/list.inc"
#undef SCHEME

}  // namespace braid
