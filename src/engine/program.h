#pragma once
// A model made ready on one backend: its entries compiled per size class on demand, over one set of weights and states.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "engine/pages.h"
#include "models/model.h"

namespace braid {

struct ProgramOptions {
  RewriteOptions rewrite = {};
  int64_t context = 2048;     ///< longest sequence, in tokens
  int64_t sequences = 1;      ///< sequences in one step at most
  int64_t step_tokens = 512;  ///< tokens in one step at most; fewer when all sequences together have fewer
  int64_t rows = 0;           ///< rows of logits in one step at most; 0: one per sequence
  int64_t pages = 0;          ///< pages of the pool of token states; 0: enough for `sequences` × `context`
  int64_t window_pages = 0;   ///< of those of layers that see a window; 0: enough for `sequences` windows and a step
  bool hidden_states = false;
  bool stateful = true;
  bool strict = false;
  int64_t source_tokens = 0;         ///< longest source of an encoder of tokens; 0: `context`
  std::vector<int64_t> source = {};  ///< see EntryOptions::source
};

struct MemoryPlan {
  uint64_t weights_bytes = 0, state_bytes = 0, arena_bytes = 0;
  uint64_t total_bytes() const { return weights_bytes + state_bytes + arena_bytes; }
};

class Program {
 public:
  /// Throws UsageError when the options do not fit the model.
  Program(Model model, std::shared_ptr<Backend> backend, std::shared_ptr<ParameterSource> source,
          ProgramOptions options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const Model& model() const { return model_; }
  const ProgramOptions& options() const { return options_; }
  bool has_entry(std::string_view name) const;
  int64_t page_size() const { return entry_options_.page_size; }
  int64_t max_pages() const { return entry_options_.max_pages; }          ///< width of the page table
  int64_t pages() const { return bounds_[Symbol::pages]; }                ///< pages of the pool of whole contexts
  int64_t window_pages() const { return bounds_[Symbol::window_pages]; }  ///< of the pool of windows
  /// Tokens that the layers of the pool of windows see at most; 0: there are none.
  int64_t window() const { return window_; }
  int64_t slots() const { return bounds_[Symbol::slots]; }  ///< rows of sequence states, and of source states
  /// Whether an entry keeps states of this lifetime between steps.
  bool keeps(std::string_view entry, Lifetime lifetime);

  /// Copies pages and slots of all states, before a step.
  void copy(const Copies& copies);
  /// Runs one step of an entry; compiles and binds what it needs the first time. The outputs stay valid until the next
  /// call for the same entry. Throws Error (inputs that do not fit, failed steps).
  std::vector<NamedTensor> run(std::string_view entry, const StepData& step);
  /// Compiles and binds an entry for steps of so many tokens ahead of time. An entry that reads no tokens (images,
  /// features) has one executable.
  Executable& executable(std::string_view entry, int64_t tokens);
  /// The graph as the family wrote it.
  const Graph& graph(std::string_view entry);

  /// Exact bytes when every entry has run at every size, without loading anything.
  MemoryPlan plan();
  /// Receipts of what has been compiled so far.
  std::vector<Receipt> receipts() const;
  WeightStore& weights() { return weights_; }
  Backend& backend() { return *backend_; }

 private:
  struct Entry;
  struct Compiled;
  Entry& entry(std::string_view name);
  Compiled& compiled(Entry& entry, const SizeClass& size_class);
  void bind(Compiled& compiled);
  CompileOptions compile_options(const Entry& entry, const SizeClass& size_class) const;
  /// The size classes that steps of an entry can fall into.
  std::vector<SizeClass> classes_of(const Entry& entry) const;

  int64_t encode_tokens_;  // in a step of "encode"
  Model model_;
  std::shared_ptr<Backend> backend_;
  ProgramOptions options_;
  EntryOptions entry_options_;
  SymbolValues bounds_;
  WeightStore weights_;
  StateMap states_;
  std::map<std::string, Symbol, std::less<>> pools_;  // what a state's first axis counts
  int64_t window_ = 0;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
};

}  // namespace braid
