#pragma once
// Writes GGUF files (version 3, aligned to 32 bytes).

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace braid {

class GgufWriter {
 public:
  void text(std::string_view key, std::string_view value);
  void integer(std::string_view key, uint32_t value);
  void real(std::string_view key, float value);
  void flag(std::string_view key, bool value);
  void texts(std::string_view key, std::span<const std::string> values);
  void reals(std::string_view key, std::span<const float> values);
  void integers(std::string_view key, std::span<const int32_t> values);
  void bytes(std::string_view key, std::string_view values);

  /// `make` gives the tensor of this shape and format when its turn comes, so that only one lies in memory. Throws
  /// Error when the format has no type in the file, or the tensor has more than four dimensions.
  void tensor(std::string name, std::vector<int64_t> shape, Format format, std::function<Tensor()> make);

  /// Of the file, with everything that was added.
  uint64_t file_bytes() const;
  /// Writes the file, which appears complete or not at all. `progress` hears of each tensor's bytes and may end the
  /// work by returning false; then an Error is thrown.
  void write(const std::string& path, const std::function<bool(uint64_t done, uint64_t total)>& progress = {}) const;

 private:
  struct Item {
    std::string name;
    std::vector<int64_t> shape;
    Format format;
    uint64_t bytes, offset;
    std::function<Tensor()> make;
  };
  std::string header() const;
  void key(std::string_view name, uint32_t type);

  std::string values_;
  uint64_t count_ = 0, data_ = 0;
  std::vector<Item> tensors_;
};

}  // namespace braid
