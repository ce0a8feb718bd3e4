#pragma once
// config.json of a Hugging Face model, in the spellings of transformers 4.x and 5.x. This layer checks values and knows
// no model family: families ask for the keys that they need and give the defaults of their model_type.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/format.h"
#include "core/json.h"
#include "core/limits.h"

namespace braid {

/// Bounds, both included.
struct IntRange {
  int64_t least = std::numeric_limits<int64_t>::min();
  int64_t most = std::numeric_limits<int64_t>::max();
};
inline constexpr IntRange kSizeRange{
    1, 1 << 28};  ///< widths, head sizes, counts: any model's, and two of them multiply safely

/// Attention heads of one layer stack.
struct HeadConfig {
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;  ///< divides `heads`
  int64_t head_dim = 0;
};

/// The config keys that HeadConfig comes from; a family with other names gives its own.
struct HeadKeys {
  std::string_view hidden = "hidden_size";
  std::string_view heads = "num_attention_heads";
  std::string_view kv_heads = "num_key_value_heads";
  std::string_view head_dim = "head_dim";
};

/// Rotary position embedding. `rope_parameters` (5.x), or `rope_theta` and `rope_scaling` (4.x). The type "dynamic"
/// stands as the standard one: it changes nothing up to max_position_embeddings, and no sequence is longer.
struct RopeConfig {
  enum class Type : uint8_t { standard, linear, llama3, yarn, longrope };
  Type type = Type::standard;
  double theta = 10000;
  double factor = 1;                            ///< linear, llama3, yarn: how much longer the context became
  double low_freq_factor = 1;                   ///< llama3
  double high_freq_factor = 4;                  ///< llama3
  int64_t original_max_position = 0;            ///< llama3, yarn, longrope: context before the extension
  std::optional<double> attention_factor = {};  ///< yarn, longrope: scale of cos and sin; from factor when absent
  double beta_fast = 32;                        ///< yarn
  double beta_slow = 1;                         ///< yarn
  std::optional<double> mscale = {};            ///< yarn (DeepSeek)
  std::optional<double> mscale_all_dim = {};    ///< yarn (DeepSeek)
  bool truncate = true;                         ///< yarn: correction range rounded to whole dimensions
  std::vector<double> short_factor = {};        ///< longrope: per pair, in contexts up to the original one
  std::vector<double> long_factor = {};         ///< longrope: per pair, in longer contexts
  double partial_rotary_factor = 1;             ///< share of head_dim that is rotated
};

/// A config, or one of its nested configs ("text_config"). Cheap to copy. A null member counts as absent. Getters throw
/// an Error that names file, key and offset when a value is missing, of the wrong kind, or out of range.
class Config {
 public:
  /// `path`: a config.json, or a folder that holds one.
  static Config read(const std::string& path, const Limits& limits = {});
  static Config parse(std::string_view text, std::string file, const Limits& limits = {});

  /// The same config where keys that it lacks have the values of `text`, a JSON object: the defaults of a model_type.
  Config with_defaults(std::string_view text) const;

  std::string model_type() const;
  /// Throws when `model_type` is none of `known` (the message lists them and, with `auto_map`, says that a checkpoint's
  /// own code is never run). With a known type, `auto_map` is ignored and said in notes().
  void require_known(std::span<const std::string_view> known);
  /// One-line warnings for stderr.
  const std::vector<std::string>& notes() const { return *notes_; }

  Json json() const { return section_; }
  const std::string& file() const { return document_->file(); }
  const Limits& limits() const { return limits_; }
  bool has(std::string_view key) const { return find(key).has_value(); }
  std::optional<Json> find(std::string_view key) const;
  Json at(std::string_view key) const;
  /// A nested config: the object under `key`.
  Config section(std::string_view key) const;

  int64_t int_at(std::string_view key, IntRange range = {}) const;
  int64_t int_or(std::string_view key, int64_t otherwise, IntRange range = {}) const;
  double real_at(std::string_view key) const;
  double real_or(std::string_view key, double otherwise) const;
  bool bool_or(std::string_view key, bool otherwise) const;
  std::string string_at(std::string_view key) const;
  std::string string_or(std::string_view key, std::string_view otherwise) const;
  /// An array of integers.
  std::vector<int64_t> ints_at(std::string_view key, IntRange range = {}) const;
  std::vector<int64_t> ints_or(std::string_view key, std::vector<int64_t> otherwise, IntRange range = {}) const;
  /// An array of strings; empty when absent.
  std::vector<std::string> strings(std::string_view key) const;
  [[noreturn]] void fail(std::string_view key, std::string what, std::string advice = {}) const;

  /// Widths and counts: at least 1, at most 2^28.
  int64_t size_at(std::string_view key) const { return int_at(key, kSizeRange); }
  int64_t size_or(std::string_view key, int64_t otherwise) const { return int_or(key, otherwise, kSizeRange); }
  /// 1 to limits.max_layers.
  int64_t layers(std::string_view key = "num_hidden_layers") const;
  /// 1 to limits.max_vocabulary. Throws also when this config's `eos_token_id` is not below it.
  int64_t vocabulary(std::string_view key = "vocab_size") const;
  /// Without head_dim, heads must divide hidden; kv_heads (default: heads) must divide heads.
  HeadConfig heads_and_dims(const HeadKeys& keys = {}) const;
  /// `layer_type` picks one of several ("full_attention") where rope_parameters has one object for each.
  RopeConfig rope(double default_theta = 10000, std::string_view layer_type = {}) const;
  /// The number format of the checkpoint (`dtype`, `torch_dtype`); nothing when it does not say.
  std::optional<Format> dtype() const;
  /// `id2label` in the order of the ids; empty when absent.
  std::vector<std::string> labels() const;

 private:
  Config(std::shared_ptr<const JsonDocument> document, const Limits& limits);
  std::shared_ptr<const JsonDocument> document_;
  Json section_;
  std::shared_ptr<const JsonDocument> defaults_;  // of section_; may be null
  Limits limits_;
  std::shared_ptr<std::vector<std::string>> notes_;
};

}  // namespace braid
