#include "ops/samples/check_backend.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "formats/formats.h"

namespace braid::samples {
namespace {

class SampleSource : public ParameterSource {
 public:
  explicit SampleSource(const Sample& sample) : sample_(sample) {}
  Tensor get(std::string_view name) override {
    auto it = sample_.parameters.find(name);
    if (it == sample_.parameters.end())
      throw Error("no such parameter", {.file = {}, .field = std::string(name), .offset = {}});
    return it->second;
  }
  void release(std::string_view) override {}
  void check() override {}

 private:
  const Sample& sample_;
};

void check_sample(Backend& backend, const Sample& sample, const RewriteOptions& rewrite, const SizeClass& size) {
  CompileOptions options;
  options.size_class = size.name;
  options.bounds = sample.sizes;
  options.rewrite = rewrite;
  std::unique_ptr<Executable> executable = backend.compile(sample.graph, options);
  WeightStore weights(std::make_shared<SampleSource>(sample), backend.load_runner());
  oracle::Feeds feeds = sample.feeds();
  StateMap states = sample.feeds().states;
  executable->bind(weights, states);
  StepData step{.sizes = sample.sizes, .inputs = {}};
  for (const auto& [name, tensor] : sample.inputs) step.inputs.push_back({name, tensor});
  executable->prepare(step);
  const Status status = executable->run();
  ASSERT_TRUE(status.ok) << status.message;

  const double allowed = tolerance(sample.roundings);
  for (const NamedTensor& wanted : oracle::interpret(executable->graph(), feeds))
    EXPECT_LE(relative_error(executable->output(wanted.name), wanted.tensor), allowed) << "output " << wanted.name;
  for (const auto& [name, wanted] : feeds.states)
    EXPECT_LE(relative_error(states.at(name), wanted), allowed) << "state " << name;
}

}  // namespace

double tolerance(double roundings) { return 4 * info(Format::f32).epsilon * std::sqrt(roundings); }

double relative_error(const Tensor& y, const Tensor& wanted) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (!y || y.shape != wanted.shape || y.format != wanted.format || y.layout != wanted.layout) return kInfinite;
  if (std::memcmp(y.bytes(), wanted.bytes(), wanted.byte_size()) == 0) return 0;
  if (!info(wanted.format).floating) return kInfinite;
  double error = 0, norm = 0;
  std::vector<float> a(static_cast<size_t>(wanted.last())), b(a.size());
  for (int64_t row = 0; row < wanted.rows(); ++row) {
    decode_row(y, row, a);
    decode_row(wanted, row, b);
    for (size_t i = 0; i < a.size(); ++i) {
      if (std::isnan(a[i]) && std::isnan(b[i])) continue;
      if (!std::isfinite(b[i]) || !std::isfinite(a[i])) {
        if (a[i] != b[i]) return kInfinite;
        continue;
      }
      const double difference = static_cast<double>(a[i]) - b[i];
      error += difference * difference;
      norm += static_cast<double>(b[i]) * b[i];
    }
  }
  if (error == 0) return 0;
  return norm == 0 ? kInfinite : std::sqrt(error / norm);
}

void check_backend(Backend& backend, std::span<const Sample> samples, const RewriteOptions& rewrite) {
  for (const Sample& sample : samples)
    for (const SizeClass& size : backend.size_classes()) {
      if (sample.sizes[Symbol::tokens] > size.max_tokens) continue;
      SCOPED_TRACE(std::string(backend.name()) + " " + size.name + ": " + sample.name);
      try {
        check_sample(backend, sample, rewrite, size);
      } catch (const Error& error) {
        ADD_FAILURE() << error.line();
      }
    }
}

}  // namespace braid::samples
