#pragma once
// Scope: the path of a module is the name of its tensors in the checkpoint. A family walks its scopes as the
// checkpoint's names go ("model.layers.0.self_attn") and never says a full name.

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/model.h"
#include "ops/ops.h"

namespace braid {

/// Another spelling that checkpoints of a family use: where a tensor's name holds `ours`, the file's may hold `theirs`
/// ({"model.", ""}: base models are saved without their prefix). A family gives its list once, to the root scope.
struct Rename {
  std::string ours, theirs;
};

/// A tensor of another shape than the config makes it.
class TensorShapeError : public Error {
 public:
  TensorShapeError(const Type& found, Shape expected, const Place& place);
  const Shape& found() const { return found_; }
  const Shape& expected() const { return expected_; }

 private:
  Shape found_, expected_;
};

/// Every name that the renames make of `name`, the name itself first.
std::vector<std::string> spellings(std::string name, std::span<const Rename> renames);

/// For the flag `bias` of Scope::project at call sites that always or never have one.
inline constexpr bool kBias = true;
inline constexpr bool kNoBias = false;

class Scope {
 public:
  /// The root: a builder to append to and a checkpoint to find tensors in; both outlive every scope made from it.
  Scope(Builder& builder, const TensorIndex& tensors, std::vector<Rename> renames = {});

  Scope operator[](std::string_view name) const;
  Scope operator[](int64_t index) const { return (*this)[std::string_view(std::to_string(index))]; }
  const std::string& path() const { return path_; }
  Builder& builder() const { return *root_->builder; }

  /// The checkpoint tensor PATH.NAME as the file holds it. Throws Error that names the tensor when it is missing (with
  /// near names), has another shape than the config makes it, or has no format to compute with.
  Value parameter(std::string_view name, const Shape& shape) const;
  /// Whether the checkpoint has PATH.NAME: for parts that files may lack without their config saying so. With random
  /// weights it has every tensor.
  bool has(std::string_view name) const;
  /// PATH.weight (rows, width) as an operand of a product or a table of embeddings: what may be quantised.
  Value weight(const Shape& shape) const;
  /// PATH.weight of a module that stores it (width, rows), as transformers' Conv1D does → (rows, width). A file that
  /// has the transpose itself is read as it is.
  Value transposed_weight(const Shape& shape) const;
  /// `parameter` in f32: an expression where the file holds another format. For what is not a product's weight:
  /// norms, biases, convolutions.
  Value floats(std::string_view name, const Shape& shape) const;

  /// x (…, K) · PATH.NAME.weight (size, K)ᵀ [+ PATH.NAME.bias (size)] → (…, size). Whether there is a bias is the
  /// family's or its config's word alone: a bias in the file that the config denies is found by check_tensors.
  Value project(std::string_view name, Value x, int64_t size, bool bias = kNoBias) const;
  struct Projection {
    std::string_view name;
    int64_t size;
  };
  /// Several products of the same x; a rewrite makes them one product with several weights.
  template <size_t N>
  std::array<Value, N> project(const Projection (&projections)[N], Value x, bool bias = kNoBias) const {
    std::array<Value, N> results;
    for (size_t i = 0; i < N; ++i) results[i] = project(projections[i].name, x, projections[i].size, bias);
    return results;
  }

 private:
  struct Root {
    Builder* builder;
    const TensorIndex* tensors;
    std::vector<Rename> renames;
  };
  Scope(std::shared_ptr<const Root> root, std::string path) : root_(std::move(root)), path_(std::move(path)) {}
  std::string path_of(std::string_view name) const;
  Value find(std::string_view name, const Shape& shape, Format random) const;

  std::shared_ptr<const Root> root_;
  std::string path_;
};

/// While it lives, the scope is the origin of the nodes that are made.
class Within {
 public:
  explicit Within(const Scope& scope);
  ~Within();
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  Builder& builder_;
  std::string before_;
};

}  // namespace braid
