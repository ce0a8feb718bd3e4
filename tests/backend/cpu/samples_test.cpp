// The CPU backend on every op's samples against the oracle, with each instruction set of this machine, exact and fast.

#include <gtest/gtest.h>

#include "backend/cpu/backend.h"
#include "ops/samples/check_backend.h"

namespace braid {
namespace {

class CpuSamples : public testing::TestWithParam<std::string> {};

TEST_P(CpuSamples, ExactStepsAgreeWithTheOracle) {
  cpu::CpuBackend backend({.threads = 2, .isa = GetParam()});
  samples::check_backend(backend, samples::all(), {.level = 1, .exact = true});
}

TEST_P(CpuSamples, FastStepsAgreeWithTheOracleOnTheSameRoundedOperands) {
  cpu::CpuBackend backend({.threads = 2, .isa = GetParam()});
  samples::check_backend(backend, samples::all(), {.level = 2});
}

TEST_P(CpuSamples, GraphsWithoutAnyRuleAgreeToo) {
  cpu::CpuBackend backend({.threads = 1, .isa = GetParam()});
  samples::check_backend(backend, samples::all(), {.level = 0});
}

std::vector<std::string> available() {
  std::vector<std::string> names;
  for (const cpu::KernelSet& set : cpu::kernel_sets())
    if (set.available) names.emplace_back(set.kernels->name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(EachInstructionSet, CpuSamples, testing::ValuesIn(available()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace braid
