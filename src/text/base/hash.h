#pragma once
// Hashes of strings and numbers, keyed: a table's seed is drawn anew, so that no file and no text can be made of
// colliding keys.

#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace braid::text {

inline uint64_t random_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

/// Both halves of a 128-bit product, folded: every bit of the result depends on every bit of `a` and `b` (as in
/// wyhash).
inline uint64_t fold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash(uint64_t key, uint64_t seed) { return fold(key ^ seed, 0x9E3779B97F4A7C15u); }

/// For short strings: eight bytes at a time.
inline uint64_t hash(std::string_view text, uint64_t seed) {
  constexpr uint64_t kFirst = 0xA0761D6478BD642Fu, kSecond = 0xE7037ED1A0B428DBu;
  const auto load = [](const char* bytes, size_t count) {
    uint64_t word = 0;
    if (count > 0) std::memcpy(&word, bytes, count);  // an empty view may be null
    return word;
  };
  uint64_t state = seed ^ kFirst;
  const char* at = text.data();
  size_t left = text.size();
  for (; left > 8; left -= 8, at += 8) state = fold(load(at, 8) ^ kSecond, state ^ kFirst);
  return fold(load(at, left) ^ kSecond, fold(state, text.size() ^ kFirst));
}

}  // namespace braid::text
