#pragma once
// The oracle as a backend: the same interfaces as devices have, so that any model or test can run on it.

#include "backend/backend.h"

namespace braid::oracle {

/// Claims nothing: every composite runs as its expansion. One size class. Activations stay in f32 whatever the options
/// say; weights are converted as they ask.
class OracleBackend : public Backend {
 public:
  std::string_view name() const override { return "oracle"; }
  Device device() const override { return {}; }
  std::shared_ptr<Buffer> allocate(size_t bytes) override { return Buffer::allocate(bytes); }
  LoadRunner load_runner() const override;
  std::vector<SizeClass> size_classes() const override { return {{"many", INT64_MAX}}; }
  bool claims(const Graph&, const Node&) const override { return false; }
  std::unique_ptr<Executable> compile(const Graph& graph, const CompileOptions& options) override;
};

}  // namespace braid::oracle
