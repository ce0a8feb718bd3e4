#pragma once
// Where parameters come from: a checkpoint's maps, or random numbers.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "backend/backend.h"
#include "files/checkpoint.h"
#include "models/schemes/scheme.h"

namespace braid {

class CheckpointSource : public ParameterSource {
 public:
  explicit CheckpointSource(std::shared_ptr<const Checkpoint> checkpoint,
                            std::shared_ptr<const QuantizedCheckpoint> quantised = nullptr)
      : checkpoint_(std::move(checkpoint)), quantised_(std::move(quantised)) {}
  /// Weights that a scheme stores in several tensors are made anew at each call.
  Tensor get(std::string_view name) override;
  void release(std::string_view name) override;
  void check() override { checkpoint_->check(); }

 private:
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::shared_ptr<const QuantizedCheckpoint> quantised_;
};

/// Numbers that depend on the seed, the tensor's name and the place in it alone: mean 0 and standard deviation 0.02
/// (the usual initialiser_range), triangular for plain formats, uniform codes for block formats. Norms' weights and
/// variances lie around 1, so that nothing grows or dies over many layers.
class RandomSource : public ParameterSource {
 public:
  /// `types`: every tensor that the graphs read.
  RandomSource(uint64_t seed, std::map<std::string, Type, std::less<>> types) : seed_(seed), types_(std::move(types)) {}
  /// A new tensor at each call: who needs it again keeps it.
  Tensor get(std::string_view name) override;
  void release(std::string_view) override {}
  void check() override {}

 private:
  uint64_t seed_;
  std::map<std::string, Type, std::less<>> types_;
};

}  // namespace braid
