// Any bytes as config.json and generation_config.json: they are refused with an Error, or what they say makes sense.

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "files/generation_config.h"

namespace {

using namespace braid;

/// Runs one reader; an Error must point into the text.
template <class F>
void read(size_t size, F&& reader) {
  try {
    reader();
  } catch (const Error& error) {
    if (error.place().offset.value_or(0) > size) std::abort();
  }
}

void require(bool sound) {
  if (!sound) std::abort();
}

void read_config(const Config& config, size_t size) {
  read(size, [&] {
    const HeadConfig heads = config.heads_and_dims();
    require(heads.heads > 0 && heads.kv_heads > 0 && heads.heads % heads.kv_heads == 0 && heads.head_dim > 0);
  });
  read(size, [&] {
    const RopeConfig rope = config.rope(10000, "full_attention");
    require(std::isfinite(rope.theta) && rope.theta > 0 && std::isfinite(rope.factor) && rope.factor > 0);
    require(rope.partial_rotary_factor > 0 && rope.partial_rotary_factor <= 1);
  });
  read(size, [&] { require(config.layers() >= 1); });
  read(size, [&] { require(config.vocabulary() >= 1); });
  read(size, [&] { config.dtype(); });
  read(size, [&] { config.labels(); });
  read(size, [&] { config.strings("architectures"); });
  read(size, [&] {
    const GenerationConfig generation = GenerationConfig::from(&config, config, 1000);
    for (const int64_t eos : generation.eos_token_ids) require(eos >= 0 && eos < 1000);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  read(size, [&] {
    Config config = Config::parse({reinterpret_cast<const char*>(data), size}, "fuzz.json");
    read_config(config, size);
    read(size, [&] { config.require_known(std::array<std::string_view, 1>{"llama"}); });
    read(size, [&] { read_config(config.section("text_config"), size); });
  });
  return 0;
}
