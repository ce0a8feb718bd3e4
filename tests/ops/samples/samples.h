#pragma once
// Samples of every op: graphs with what to feed them, at awkward sizes. Every backend is tested on all of them against
// the oracle (check_backend.h).

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "backend/oracle/interpret.h"
#include "ops/ops.h"

namespace braid::samples {

struct Sample {
  std::string name;  ///< "contract q4_0 17x33x64"
  const OpInfo* op = nullptr;
  Graph graph;
  SymbolValues sizes;  ///< those of pools included
  std::map<std::string, Tensor, std::less<>> inputs, parameters;
  StateMap states;
  /// How many roundings of half a unit in the last place of f32 may lie behind an element: see tolerance().
  double roundings = 1;

  /// Feeds with copies of the states: a sample may be run again and again.
  oracle::Feeds feeds() const;
};

/// All samples, each made anew, always of the same numbers.
std::vector<Sample> all();
std::vector<Sample> elementwise();
std::vector<Sample> reductions();
std::vector<Sample> products();
std::vector<Sample> moves();
std::vector<Sample> sequences();
std::vector<Sample> composites();

/// A ragged batch: how many tokens each sequence brings, how many it has had before, which slot it has.
struct Batch {
  std::vector<int32_t> spans, contexts, slots;

  int64_t tokens() const;
  int64_t sequences() const { return static_cast<int64_t>(spans.size()); }
  std::vector<int32_t> span_start() const;
  /// tokens and sequences; the pools' sizes are for the caller to set.
  SymbolValues sizes() const;
};

/// Builds a sample: each operand that it makes is named, filled with numbers from a seed, and fed.
class Maker {
 public:
  Maker(std::string name, const OpInfo& op, SymbolValues sizes = {});

  Builder& builder() { return b_; }
  /// f32 inputs from a normal distribution, or evenly from [low, high).
  Value input(Shape shape);
  Value uniform(Shape shape, float low, float high);
  /// i32 inputs from [low, high).
  Value indices(Shape shape, int32_t low, int32_t high);
  Value integers(Shape shape, const std::vector<int32_t>& values);
  /// A parameter, from a normal distribution, in a format.
  Value weight(Shape shape, Format format = Format::f32);
  Value state(Shape shape, Lifetime lifetime, Format format = Format::f32);
  /// span_start of a batch; and the other i32 inputs of one.
  Value span_start(const Batch& batch);
  Value context(const Batch& batch);
  Value slots(const Batch& batch);
  /// A page table for contexts + spans over `pages` pages of `page_size`, shuffled; unused entries are -1.
  Value page_table(const Batch& batch, int64_t page_size, int64_t pages, int64_t max_pages);
  Tensor& value_of(Value leaf);

  Sample finish(const std::vector<Value>& outputs, double roundings);
  /// An output and the new version of a state.
  void keep(Value state, Value version) { b_.state_result(state, version); }

 private:
  std::string next_name(const char* kind);
  Tensor normal(const Shape& shape);
  Builder b_;
  Sample sample_;
  std::mt19937 random_;
  int made_ = 0;
};

}  // namespace braid::samples
