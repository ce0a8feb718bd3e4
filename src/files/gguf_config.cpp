// Metadata → config.json.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"
#include "core/json.h"
#include "files/gguf_architectures.h"

namespace braid {
namespace {

/// What the config of one file is made from.
class Converter {
 public:
  Converter(const GgufMetadata& metadata, std::span<const TensorFile> files)
      : files_(files), metadata_(metadata), row_(gguf_architecture(metadata_)), prefix_(std::string(row_.name) + ".") {}

  std::string text() {
    json_.begin_object().member("model_type", row_.model_type);
    json_.key("architectures").begin_array().value(row_.architecture).end_array();
    for (const GgufKey& key : row_.keys) write(key);
    const TensorEntry* embedding = tensor("token_embd.weight");
    if (embedding == nullptr)
      throw Error("the file has no token embeddings",
                  {.file = metadata_.path(), .field = "token_embd.weight", .offset = {}},
                  "a vocabulary alone cannot run: it can be given to `braid tokenize`");
    if (embedding->shape.size() == 2) {
      vocabulary_ = embedding->shape[0];
      json_.member("vocab_size", vocabulary_);
    }
    json_.member("tie_word_embeddings", tensor("output.weight") == nullptr);
    json_.member("attention_bias", tensor("blk.0.attn_q.bias") != nullptr);
    json_.member("mlp_bias", tensor("blk.0.ffn_down.bias") != nullptr);
    if (const TensorEntry* types = tensor("token_types.weight"); types != nullptr && types->shape.size() == 2)
      json_.member("type_vocab_size", types->shape[0]);
    write_tokens();
    write_rope();
    write_query_scale();
    std::string text = json_.end_object().text();
    if (!row_.fixed.empty()) text.insert(1, std::string(row_.fixed) + ",");
    return text;
  }

 private:
  std::string key(std::string_view name) const { return prefix_ + std::string(name); }
  std::optional<int64_t> integer(std::string_view name) const { return metadata_.integer(key(name)); }
  std::optional<double> real(std::string_view name) const {
    const auto value = metadata_.real(key(name));
    if (value && !std::isfinite(*value)) metadata_.fail(key(name), "the value is not finite");
    return value;
  }

  const TensorEntry* tensor(std::string_view name) const {
    for (const TensorFile& file : files_)
      if (const TensorEntry* entry = file.find(name)) return entry;
    return nullptr;
  }

  void write(const GgufKey& k) {
    if (k.real) {
      if (const auto value = real(k.gguf)) number(k.config, *value);
    } else if (const auto value = integer(k.gguf)) {
      if (k.config == "sliding_window" && *value == 0) return;  // none
      json_.member(k.config, *value);
    }
  }

  /// A number that was rounded to f32 in the file: the shortest decimal that says the same f32 is what was meant.
  void number(std::string_view name, double value) { json_.member(name, shortest(value)); }
  static double shortest(double value) {
    if (static_cast<double>(static_cast<float>(value)) != value) return value;
    for (int digits = 1; digits < 10; ++digits) {
      char text[40];
      std::snprintf(text, sizeof text, "%.*g", digits, value);
      if (std::strtof(text, nullptr) == static_cast<float>(value)) return std::strtod(text, nullptr);
    }
    return value;
  }

  void write_tokens() {
    const auto token = [&](const char* name) {
      return metadata_.integer("tokenizer.ggml." + std::string(name) + "_token_id");
    };
    if (const auto bos = token("bos")) json_.member("bos_token_id", *bos);
    if (const auto pad = token("padding")) json_.member("pad_token_id", *pad);
    std::vector<int64_t> ends;  // of a text, of a turn, of a message: generation stops at any
    for (const char* name : {"eos", "eot", "eom"}) {
      const auto end = token(name);
      // The converter gives all Gemmas the end of turn of the large vocabulary.
      const bool absent = name != std::string_view("eos") && end >= vocabulary_;
      if (end && !absent && std::ranges::find(ends, *end) == ends.end()) ends.push_back(*end);
    }
    if (!ends.empty()) json_.list("eos_token_id", std::span<const int64_t>(ends));
  }

  /// Numbers of an f32 tensor: the factors by which frequencies are divided.
  std::vector<double> factors(std::string_view name) const {
    std::vector<double> values;
    for (const TensorFile& file : files_) {
      const TensorEntry* entry = file.find(name);
      if (entry == nullptr) continue;
      if (entry->format != Format::f32)
        throw Error("expected F32", {.file = file.path(), .field = std::string(name), .offset = entry->offset});
      const Tensor tensor = file.tensor(*entry);
      for (int64_t i = 0; i < tensor.elements(); ++i) {
        values.push_back(shortest(tensor.data<float>()[i]));
        if (!(values.back() > 0) || !std::isfinite(values.back()))
          throw Error("a factor of frequencies must be a positive number",
                      {.file = file.path(),
                       .field = std::string(name),
                       .offset = entry->offset + static_cast<uint64_t>(i) * 4});
      }
      file.map()->check();
    }
    return values;
  }

  void write_rope() {
    const int64_t heads = integer("attention.head_count").value_or(0), width = integer("embedding_length").value_or(0);
    const int64_t head_dim = integer("attention.key_length").value_or(heads > 0 ? width / heads : 0);
    const int64_t rotated = integer("rope.dimension_count").value_or(head_dim);
    if (rotated > 0 && rotated < head_dim)
      json_.member("partial_rotary_factor", static_cast<double>(rotated) / static_cast<double>(head_dim));
    const std::vector<double> common = factors("rope_freqs.weight");
    const std::vector<double> longer = factors("rope_factors_long.weight"),
                              shorter = factors("rope_factors_short.weight");
    const std::string_view type = metadata_.text(key("rope.scaling.type")).value_or("none");
    if (!common.empty() || !longer.empty())
      return write_factors(common.empty() ? shorter : common, common.empty() ? longer : common, !common.empty());
    if (type == "none") return;
    json_.key("rope_scaling").begin_object().member("rope_type", type == "linear" ? "linear" : "yarn");
    if (type != "linear" && type != "yarn")
      metadata_.fail(key("rope.scaling.type"), "unknown rope scaling \"" + std::string(type.substr(0, 64)) + "\"",
                     "none, linear and yarn are read, and factors of frequencies");
    number("factor", real("rope.scaling.factor").value_or(1));
    if (const auto original = integer("rope.scaling.original_context_length"))
      json_.member("original_max_position_embeddings", *original);
    if (const auto factor = real("rope.scaling.yarn_attn_factor")) number("attention_factor", *factor);
    if (const auto beta = real("rope.scaling.yarn_beta_fast")) number("beta_fast", *beta);
    if (const auto beta = real("rope.scaling.yarn_beta_slow")) number("beta_slow", *beta);
    if (!row_.rope_truncates) json_.member("truncate", false);
    json_.end_object();
  }

  /// Each frequency has its own factor. Those of `always` hold at every length (the converter makes them from
  /// Llama 3's parameters), others depend on the length as Phi-3's do.
  void write_factors(const std::vector<double>& shorter, const std::vector<double>& longer, bool always) {
    json_.key("rope_scaling").begin_object().member("rope_type", "longrope");
    json_.list("short_factor", std::span<const double>(shorter)).list("long_factor", std::span<const double>(longer));
    const auto original = integer("rope.scaling.original_context_length");
    json_.member("original_max_position_embeddings", original.value_or(integer("context_length").value_or(1)));
    if (always)
      json_.member("attention_factor", 1.0);
    else if (const auto factor = real("rope.scaling.attn_factor"))
      json_.member("attention_factor", *factor);
    json_.end_object();
  }

  void write_query_scale() {
    if (row_.largest_layers == 0) return;
    const int64_t layers = integer("block_count").value_or(0), heads = integer("attention.head_count").value_or(0);
    const auto head_dim = integer("attention.key_length");
    if (!head_dim || heads <= 0) return;
    const bool largest = layers == row_.largest_layers;
    json_.member("query_pre_attn_scalar", largest ? integer("embedding_length").value_or(0) / heads : *head_dim);
  }

  std::span<const TensorFile> files_;
  const GgufMetadata& metadata_;
  const GgufArchitecture& row_;
  std::string prefix_;
  int64_t vocabulary_ = 0;
  JsonWriter json_;
};

}  // namespace

Config gguf_config(const GgufMetadata& metadata, std::span<const TensorFile> files, const Limits& limits) {
  return Config::parse(Converter(metadata, files).text(), metadata.path() + " as config.json", limits);
}

}  // namespace braid
