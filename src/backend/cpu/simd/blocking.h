#pragma once
// Sizes of the blocks that the products work through, the same for every instruction set where they decide how much
// scratch a worker needs.

#include <cstddef>
#include <cstdint>

namespace braid::cpu {

// Floating point, many rows: accumulators of kBlockRows × kBlockWeights outputs stay in the L2 cache while blocks of
// kBlockBytes along K pass by; one packed panel of weights stays in L1.
inline constexpr int64_t kBlockRows = 128;
inline constexpr int64_t kBlockWeights = 24;
inline constexpr int64_t kBlockBytes = 3072;
inline constexpr size_t kMaxVectorBytes = 64;
inline constexpr size_t kFloatScratchBytes =
    kMaxVectorBytes + kBlockRows * kBlockWeights * kMaxVectorBytes + kBlockWeights * kBlockBytes;

// Integer weights, many rows: tiles of 16 weights × 32 columns, unpacked to f32 scales and one byte per code. Blocks of
// activations share their scale by kScaleBlocks (formats/q8_act).
inline constexpr int64_t kTile = 16, kBlock = 32, kScaleBlocks = 4;
inline constexpr float kLeastActivation = 0x1p-90f;
inline constexpr int64_t kPanelTiles = 2;
inline constexpr int64_t kManyRows = 256;
inline constexpr int64_t kManyDepth = 16;  // blocks of a slice: a panel of 16 of them takes 18 KiB
inline constexpr size_t kIntScratchBytes = kMaxVectorBytes + kPanelTiles * kManyDepth * (kTile * 4 + kTile * kBlock);
static_assert(kManyDepth % kScaleBlocks == 0);

// Attention: scores of a tile of queries, and a page of keys and values widened to f32.
inline constexpr int64_t kMaxQueryTile = 6, kMaxLanes = 16;
inline constexpr size_t attention_floats(int64_t page_size, int64_t head_dim) {
  const int64_t scores = kMaxQueryTile * ((page_size + kMaxLanes - 1) / kMaxLanes * kMaxLanes);
  return static_cast<size_t>(scores + 2 * page_size * head_dim);
}

}  // namespace braid::cpu
