#include <sys/syscall.h>
#include <unistd.h>

#include "core/platform.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace braid {
namespace {

#if defined(__x86_64__)
struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Registers r;
  if (!__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx)) return {};
  return r;
}

bool bit(uint32_t word, int n) { return word >> n & 1; }

/// Which register files the operating system saves (XCR0).
uint64_t saved_state() {
  uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

CpuFeatures detect() {
  constexpr uint64_t kAvxState = 0x6, kAvx512State = 0xE6, kAmxState = 0x60000;
  CpuFeatures f;
  const Registers one = cpuid(1);
  if (!bit(one.ecx, 27)) return f;  // OSXSAVE: without it XCR0 cannot be read
  const uint64_t state = saved_state();
  const Registers seven = cpuid(7), seven_one = seven.eax >= 1 ? cpuid(7, 1) : Registers{};
  const bool avx = (state & kAvxState) == kAvxState;
  f.avx2 = avx && bit(seven.ebx, 5) && bit(one.ecx, 12) && bit(one.ecx, 29);
  f.avx_vnni = f.avx2 && bit(seven_one.eax, 4);
  const bool foundation = bit(seven.ebx, 16) && bit(seven.ebx, 17) && bit(seven.ebx, 30) && bit(seven.ebx, 31);
  f.avx512 = f.avx2 && foundation && (state & kAvx512State) == kAvx512State;
  f.avx512_vnni = f.avx512 && bit(seven.ecx, 11);
  f.avx512_bf16 = f.avx512 && bit(seven_one.eax, 5);
  f.avx512_fp16 = f.avx512 && bit(seven.edx, 23);
  const bool tiles = f.avx512 && bit(seven.edx, 24) && (state & kAmxState) == kAmxState;
  f.amx_bf16 = tiles && bit(seven.edx, 22);
  f.amx_int8 = tiles && bit(seven.edx, 25);
  return f;
}
#else
CpuFeatures detect() {
  CpuFeatures f;
#if defined(__aarch64__)
  f.neon = true;  // part of the base architecture
#endif
  return f;
}
#endif

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

bool request_amx() {
#if defined(__x86_64__)
  if (!cpu_features().amx_bf16 && !cpu_features().amx_int8) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace braid
