#include "backend/cpu/kernels.h"

#include <algorithm>
#include <string_view>

#include "backend/cpu/simd/blocking.h"
#include "core/platform.h"

namespace braid::cpu {

namespace baseline {
extern const Kernels kKernels;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Kernels kKernels;
}
namespace avx512 {
extern const Kernels kKernels;
}
namespace avx512_vnni {
extern const Kernels kKernels;
}
namespace avx512_vnni_bf16 {
extern const Kernels kKernels;
}
#endif

size_t product_scratch_bytes() { return std::max(kFloatScratchBytes, kIntScratchBytes); }

size_t attention_scratch_floats(int64_t page_size, int64_t head_dim) { return attention_floats(page_size, head_dim); }

KernelSets kernel_sets() {
  const CpuFeatures& cpu = cpu_features();
#if defined(__x86_64__)
  const bool vnni = cpu.avx512 && cpu.avx512_vnni;
  static const KernelSet sets[] = {
      {&avx512_vnni_bf16::kKernels, vnni && cpu.avx512_bf16, "AVX-512 F BW DQ VL + VNNI + BF16"},
      {&avx512_vnni::kKernels, vnni, "AVX-512 F BW DQ VL + VNNI"},
      {&avx512::kKernels, cpu.avx512, "AVX-512 F BW DQ VL"},
      {&avx2::kKernels, cpu.avx2, "AVX2 + FMA + F16C"},
      {&baseline::kKernels, true, "SSE2"},
  };
#else
  static const KernelSet sets[] = {{&baseline::kKernels, true, cpu.neon ? "NEON" : "nothing"}};
#endif
  return {std::begin(sets), std::end(sets)};
}

const Kernels* choose_kernels(const char* name) {
  for (const KernelSet& set : kernel_sets()) {
    if (set.available && (name == nullptr || std::string_view(name) == set.kernels->name)) return set.kernels;
  }
  return nullptr;
}

}  // namespace braid::cpu
