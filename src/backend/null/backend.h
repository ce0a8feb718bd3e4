#pragma once
// A backend that computes nothing and records what it is asked to do: for tests of planning, binding and scheduling,
// and for `plan` of machines that are not here. Outputs are zeros.

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace braid::null {

/// What executables were asked to do, in order.
struct Record {
  struct Step {
    std::string size_class;
    SymbolValues sizes;
    std::vector<std::string> inputs;  ///< names, in the order given
  };
  std::vector<std::string> compiled;  ///< size classes
  std::vector<std::string> bound;     ///< names of the parameters that were fetched
  std::vector<Step> steps;
};

class NullBackend : public Backend {
 public:
  explicit NullBackend(std::vector<SizeClass> classes = {{"one", 1}, {"many", INT64_MAX}})
      : classes_(std::move(classes)), record_(std::make_shared<Record>()) {}

  std::string_view name() const override { return "null"; }
  Device device() const override { return {}; }
  std::shared_ptr<Buffer> allocate(size_t bytes) override { return Buffer::allocate(bytes); }
  /// Packs are zeros of their type: nothing is read.
  LoadRunner load_runner() const override;
  std::vector<SizeClass> size_classes() const override { return classes_; }
  bool claims(const Graph&, const Node&) const override { return true; }
  std::unique_ptr<Executable> compile(const Graph& graph, const CompileOptions& options) override;

  const Record& record() const { return *record_; }

 private:
  std::vector<SizeClass> classes_;
  std::shared_ptr<Record> record_;
};

}  // namespace braid::null
