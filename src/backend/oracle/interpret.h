#pragma once
// The oracle: what every kernel is tested against. Core ops over whole tensors, slow and plain: values are stored in
// their formats, every sum and product is accumulated in f64 and rounded once.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "ir/graph.h"

namespace braid::oracle {

struct Feeds {
  SymbolValues sizes;
  std::map<std::string, Tensor, std::less<>> inputs;
  /// The value of a `parameter` node: see `parameters_by_name`.
  std::function<Tensor(const Node& parameter)> parameters;
  StateMap states;  ///< updated in place
};

class Program;

/// A graph made ready: composites and `fused` are expanded, in regions too. Graphs of any size may be run again and
/// again, by one thread at a time each.
class Interpreter {
 public:
  /// Throws Error naming a node that nothing evaluates.
  explicit Interpreter(const Graph& graph);
  ~Interpreter();
  Interpreter(Interpreter&&) noexcept;

  /// The outputs, in order. Throws Error: an input, parameter or state is missing or of another size, an index lies
  /// outside its table.
  std::vector<NamedTensor> run(const Feeds& feeds) const;
  /// Throws what run() would throw of a missing or misshapen input or state.
  void check(const Feeds& feeds) const;
  /// The graph of core ops that runs.
  const Graph& graph() const;

 private:
  std::unique_ptr<Program> program_;
};

/// Once, without keeping anything.
std::vector<NamedTensor> interpret(const Graph& graph, const Feeds& feeds);

/// Parameters by their names; packs are computed by their load graphs, each time they are asked for.
std::function<Tensor(const Node&)> parameters_by_name(std::function<Tensor(std::string_view)> tensors);

}  // namespace braid::oracle
