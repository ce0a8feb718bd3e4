#include "backend/cpu/step.h"

namespace braid::cpu {

void Operand::resize(const SymbolValues& values) {
  sizes.resize(type.shape.size());
  rows = 1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    sizes[i] = type.shape[i].at(values);
    if (i + 1 < sizes.size()) rows *= sizes[i];
  }
  last = sizes.empty() ? 1 : sizes.back();
}

void Step::begin(const SymbolValues& values) {
  for (Operand& operand : in) operand.resize(values);
  for (Operand& operand : out) operand.resize(values);
  for (Counter& counter : counters_) counter.value.store(0, std::memory_order_relaxed);
  for (Counter& range : ranges_) range.value.store(0, std::memory_order_relaxed);
  prepare(values);
}

}  // namespace braid::cpu
