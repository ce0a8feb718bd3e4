#include "tasks/gguf_tokenizer.h"

#include "core/error.h"
#include "files/gguf_architectures.h"
#include "text/readers/gguf_vocabulary.h"

namespace braid {
namespace {

constexpr std::string_view kModel = "tokenizer.ggml.model";

/// precompiled_charsmap: an array of bytes.
std::string bytes_of(const GgufMetadata& metadata, std::string_view key) {
  std::string bytes;
  for (const int64_t byte : metadata.integers(key)) bytes += static_cast<char>(byte);
  return bytes;
}

Tokenizer read_vocabulary(const GgufMetadata& metadata, const Limits& limits) {
  const auto key = [](const char* name) { return "tokenizer.ggml." + std::string(name); };
  const auto id = [&](const char* name) { return metadata.integer(key(name) + "_token_id"); };
  const std::string charsmap = bytes_of(metadata, key("precompiled_charsmap"));
  return Tokenizer(
      text::gguf_vocabulary_parts({.file = metadata.path(),
                                   .model = metadata.need_text(kModel),
                                   .pre = metadata.text(key("pre")).value_or(""),
                                   .tokens = metadata.strings(key("tokens")),
                                   .scores = metadata.floats(key("scores")),
                                   .types = metadata.integers(key("token_type")),
                                   .merges = metadata.strings(key("merges")),
                                   .charsmap = charsmap,
                                   .bos = id("bos"),
                                   .eos = id("eos"),
                                   .unknown = id("unknown"),
                                   .separator = id("seperator"),  // so it is spelt in files
                                   .cls = id("cls"),
                                   .special_take_spaces = gguf_special_take_spaces(metadata),
                                   .add_bos = metadata.flag(key("add_bos_token")),
                                   .add_eos = metadata.flag(key("add_eos_token")),
                                   .add_separator = metadata.flag(key("add_sep_token")),
                                   .add_space_prefix = metadata.flag(key("add_space_prefix")),
                                   .remove_extra_whitespaces = metadata.flag(key("remove_extra_whitespaces"))},
                                  limits));
}

}  // namespace

bool has_gguf_tokenizer(const GgufMetadata& metadata) {
  return metadata.text(kModel).value_or("none") != "none" && metadata.text(kModel) != "no_vocab";
}

Tokenizer gguf_tokenizer(const GgufMetadata& metadata, const Limits& limits) {
  if (!has_gguf_tokenizer(metadata))
    metadata.fail(kModel, "the file has no vocabulary", "give token ids instead of text");
  try {
    return read_vocabulary(metadata, limits);
  } catch (const Error& error) {  // the reader of vocabularies knows the key, not where it lies
    if (error.place().offset) throw;
    throw Error(error.message(), {metadata.path(), error.place().field, metadata.offset_of(error.place().field)},
                error.advice());
  }
}

}  // namespace braid
