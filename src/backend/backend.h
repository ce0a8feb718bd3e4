#pragma once
// Backends compile graphs. Planning and running are apart: `compile` and `bind` may throw and allocate, `run` does
// neither.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"
#include "rewrite/options.h"

namespace braid {

/// Where checkpoint tensors come from (a checkpoint's maps, random numbers).
class ParameterSource {
 public:
  virtual ~ParameterSource() = default;
  /// The tensor, without a copy where it is mapped. Throws Error naming it when there is none.
  virtual Tensor get(std::string_view name) = 0;
  /// Its bytes are not needed any more (they were converted): their pages may leave the resident set.
  virtual void release(std::string_view name) = 0;
  /// Throws Error when bytes handed out before turned out to be unreadable (a truncated file).
  virtual void check() = 0;
};

/// Runs a load graph (one output, all leaves parameters or constants) on the host, in parallel.
using LoadRunner = std::function<Tensor(const Graph& load, ParameterSource& source)>;

/// What parameters become: checkpoint tensors as they are, or the results of load graphs, each computed once and shared
/// by all executables.
class WeightStore {
 public:
  WeightStore(std::shared_ptr<ParameterSource> source, LoadRunner run)
      : source_(std::move(source)), run_(std::move(run)) {}
  /// The value of a `parameter` node. Load graphs run here, in parallel, the first time. Throws Error.
  Tensor get(const Node& parameter);
  /// Bytes held by results of load graphs / by tensors used as they lie in the source.
  uint64_t packed_bytes() const { return packed_bytes_; }
  uint64_t mapped_bytes() const { return mapped_bytes_; }
  ParameterSource& source() { return *source_; }

 private:
  std::shared_ptr<ParameterSource> source_;
  LoadRunner run_;
  std::map<std::string, Tensor, std::less<>> tensors_;  // by parameter name
  uint64_t packed_bytes_ = 0, mapped_bytes_ = 0;
};

/// The sizes and inputs of one step. Inputs that the graph does not have are ignored; a missing one is an Error of
/// prepare().
struct StepData {
  SymbolValues sizes;
  std::vector<NamedTensor> inputs;
};

/// The pools of states, shared by the executables of a model. Shapes are the state types with their pool sizes.
using StateMap = std::map<std::string, Tensor, std::less<>>;

/// Why a node runs as it does.
struct ReceiptLine {
  std::string node;     ///< "%12 fused"
  std::string origin;   ///< scopes in the model's language
  std::string kernel;   ///< "product_int.avx512_vnni.few"
  std::string formats;  ///< "q8_act × q4_0 → f32"
  std::string order;    ///< accumulator, block along the reduction, lanes
  Cost cost;            ///< at the class's bounds
  bool slow = false;    ///< a fallback: a faster kernel exists for other formats or sizes
  struct Rejected {
    std::string kernel, reason;
  };
  std::vector<Rejected> rejected;
};
struct Receipt {
  std::string device, size_class;
  std::string compute;  ///< one line: weight and activation formats, accumulator, instruction set
  std::vector<ReceiptLine> lines;
};

struct Status {
  bool ok = true;
  std::string message;
};

struct CompileOptions {
  std::string size_class = "many";  ///< "one", "few", "many": guards of rules and kernels see it
  SymbolValues bounds;  ///< upper bounds of the step's symbols; pool sizes of pages, window_pages, slots, source_slots
  RewriteOptions rewrite;
  bool strict = false;  ///< a slow fallback is an error of compile()
};

/// A compiled graph. One step at a time.
class Executable {
 public:
  virtual ~Executable() = default;
  /// Once: weights, states, and the arena. Throws Error.
  virtual void bind(WeightStore& weights, StateMap& states) = 0;
  /// Per step, on the host: takes over sizes and inputs (copied into the step buffer). Throws Error when they do not
  /// fit.
  virtual void prepare(const StepData& step) = 0;
  /// Allocates nothing, throws nothing.
  virtual Status run() noexcept = 0;
  /// After run(): an output at the step's sizes, valid until the next prepare().
  virtual Tensor output(std::string_view name) const = 0;
  virtual std::vector<std::string> outputs() const = 0;
  virtual Receipt receipt() const = 0;
  /// Bytes of the arena, exact.
  virtual uint64_t arena_bytes() const = 0;
  /// The graph as it runs, after all passes.
  virtual const Graph& graph() const = 0;
};

struct SizeClass {
  std::string name;
  int64_t max_tokens;  ///< steps of up to this many tokens
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;  ///< "cpu", "oracle", "null"
  virtual Device device() const = 0;
  virtual std::shared_ptr<Buffer> allocate(size_t bytes) = 0;
  /// Row `from` of a pool's first axis becomes its row `to` as well, before the next step. (Pools of the host's
  /// memory.)
  virtual void copy_row(const Tensor& pool, int64_t from, int64_t to);
  /// How this backend's WeightStore turns parameters into packs.
  virtual LoadRunner load_runner() const = 0;
  /// From small to large; the last one has no bound (INT64_MAX).
  virtual std::vector<SizeClass> size_classes() const = 0;
  /// Whether some kernel takes this node whole (else it is expanded).
  virtual bool claims(const Graph& graph, const Node& node) const = 0;
  /// Throws Error naming the node that nothing can run.
  virtual std::unique_ptr<Executable> compile(const Graph& graph, const CompileOptions& options) = 0;
};

}  // namespace braid
