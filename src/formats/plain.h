#pragma once
// Formats whose elements stand alone: encode and decode from one function per element.

#include <cstring>

#include "formats/formats.h"

namespace braid::formats {

template <class Stored, Stored (*Encode)(float)>
void encode_each(std::span<const float> row, std::byte* to) {
  for (size_t i = 0; i < row.size(); ++i) {
    const Stored stored = Encode(row[i]);
    std::memcpy(to + i * sizeof(Stored), &stored, sizeof(Stored));
  }
}

template <class Stored, float (*Decode)(Stored)>
void decode_each(const std::byte* row, std::span<float> to) {
  for (size_t i = 0; i < to.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, row + i * sizeof(Stored), sizeof(Stored));
    to[i] = Decode(stored);
  }
}

template <class Stored, Stored (*Encode)(float), float (*Decode)(Stored)>
constexpr FormatOps plain(Format format, std::optional<WeightClass> weight_class = std::nullopt) {
  return {format, encode_each<Stored, Encode>, decode_each<Stored, Decode>, weight_class, {}, nullptr};
}

}  // namespace braid::formats
