#pragma once
// The oracle as a backend: whole models run on it, slowly, to compare devices with.

#include <memory>
#include <string>

#include "backend/backend.h"

namespace braid::oracle {

/// One size class: results do not depend on it. Runs the graph after the precision pass for a device without native
/// products, so formats are those that options ask for; no rule is applied. Plans no arena: every value has memory of
/// its own while it is needed.
class OracleBackend : public Backend {
 public:
  std::string_view name() const override { return "oracle"; }
  Device device() const override { return {}; }
  std::shared_ptr<Buffer> allocate(size_t bytes) override { return Buffer::allocate(bytes); }
  LoadRunner load_runner() const override;
  std::vector<SizeClass> size_classes() const override;
  /// Everything is expanded into core ops.
  bool claims(const Graph&, const Node&) const override { return false; }
  std::unique_ptr<Executable> compile(const Graph& graph, const CompileOptions& options) override;
};

std::shared_ptr<OracleBackend> make_oracle_backend();

}  // namespace braid::oracle
