#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/json.h"
#include "export/gguf_metadata.h"
#include "text/base/kinds.h"
#include "text/base/vocabulary.h"
#include "text/readers/gguf_pre.h"
#include "text/tokenizer.h"

namespace braid {
namespace {

using text::flag;
using text::optional_member;

// tokenizer.ggml.token_type
constexpr int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUser = 4, kUnused = 5, kByte = 6;

std::string type_of(const std::optional<Json>& part) { return part ? text::string_member(*part, "type", "") : ""; }

/// A part or those of its sequence.
std::vector<Json> steps_of(const std::optional<Json>& part, std::string_view list) {
  std::vector<Json> steps;
  if (!part) return steps;
  const auto members = part->find(list);
  if (!members) return {*part};
  for (size_t i = 0; i < members->size(); ++i) steps.push_back((*members)[i]);
  return steps;
}

struct Vocabulary {
  std::string model, pre = "default";
  std::vector<std::string> tokens, merges;
  std::vector<float> scores;
  std::vector<int32_t> types;
};

void put(Vocabulary& v, int64_t id, std::string token, int32_t type) {
  if (v.tokens.size() <= static_cast<size_t>(id)) {
    v.tokens.resize(static_cast<size_t>(id) + 1);
    v.types.resize(v.tokens.size(), kUnused);
  }
  v.tokens[static_cast<size_t>(id)] = std::move(token);
  v.types[static_cast<size_t>(id)] = type;
}

bool is_byte(std::string_view token) { return token.size() == 6 && token.starts_with("<0x") && token.ends_with(">"); }

void put_tokens(Vocabulary& v, const Json& root, const Limits& limits) {
  const Json model = root.at("model"), vocabulary = model.at("vocab");
  const bool list = vocabulary.is_array();  // of a unigram model
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const std::string token(list ? vocabulary[i][0].as_string() : vocabulary.key(i));
    const int64_t id = list ? static_cast<int64_t>(i) : text::read_token_id(vocabulary.value(i), limits);
    put(v, id, token, flag(model, "byte_fallback", false) && is_byte(token) ? kByte : kNormal);
  }
  if (const auto added = optional_member(root, "added_tokens"))
    for (size_t i = 0; i < added->size(); ++i) {
      const Json token = (*added)[i];
      put(v, text::read_token_id(token.at("id"), limits), std::string(token.at("content").as_string()),
          flag(token, "special", false) ? kControl : kUser);
    }
  for (size_t id = 0; id < v.tokens.size(); ++id)
    if (v.types[id] == kUnused) v.tokens[id] = "[PAD" + std::to_string(id) + "]";
}

std::string merge_text(const Json& merge) {
  return merge.is_array() ? std::string(merge[0].as_string()) + " " + std::string(merge[1].as_string())
                          : std::string(merge.as_string());
}

/// The patterns that a byte-level tokenizer cuts text with.
std::vector<std::string> patterns_of(const Json& root) {
  std::vector<std::string> patterns;
  for (const Json& step : steps_of(optional_member(root, "pre_tokenizer"), "pretokenizers")) {
    if (const auto pattern = step.find("pattern"))
      if (const auto regex = pattern->find("Regex")) patterns.emplace_back(regex->as_string());
    if (type_of(step) == "Digits" && flag(step, "individual_digits", false)) patterns.emplace_back(R"(\p{N})");
    if (type_of(step) == "ByteLevel" && flag(step, "use_regex", true))
      patterns.emplace_back(text::find_gguf_pre_tokenizer("gpt-2")->patterns.front());
  }
  return patterns;
}

std::optional<std::string> byte_level(Vocabulary& v, const Json& root) {
  const Json model = root.at("model");
  const std::vector<std::string> patterns = patterns_of(root);
  const std::string normalizer = type_of(optional_member(root, "normalizer"));
  v.model = "gpt2";
  v.pre.clear();
  for (const std::string_view name : text::gguf_pre_tokenizers()) {
    const text::GgufPreTokenizer& pre = *text::find_gguf_pre_tokenizer(name);
    if (std::ranges::equal(pre.patterns, patterns) && pre.ignore_merges == flag(model, "ignore_merges", false) &&
        pre.normalizer.empty() == normalizer.empty() && v.pre.empty())
      v.pre = name;
  }
  if (v.pre.empty()) return "GGUF has no name for its pre-tokeniser";
  const Json merges = model.at("merges");
  for (size_t i = 0; i < merges.size(); ++i) v.merges.push_back(merge_text(merges[i]));
  return std::nullopt;
}

/// SentencePiece's scores from ranks: what merges earlier scores higher.
std::optional<std::string> sentence_piece(Vocabulary& v, const Json& root) {
  const Json merges = root.at("model").at("merges");
  v.model = "llama";
  std::map<std::string, float, std::less<>> scores;
  for (size_t i = 0; i < merges.size(); ++i) {
    std::string token = merge_text(merges[i]);
    token.erase(token.find(' '), 1);
    scores.emplace(std::move(token), -static_cast<float>(i));
  }
  for (const std::string& token : v.tokens) {
    const auto found = scores.find(token);
    v.scores.push_back(found != scores.end() ? found->second : -static_cast<float>(merges.size()));
  }
  return std::nullopt;
}

std::optional<std::string> word_piece(Vocabulary& v, const Json&) {
  v.model = "bert";
  for (size_t id = 0; id < v.tokens.size(); ++id)
    if (v.types[id] == kNormal)
      v.tokens[id] = v.tokens[id].starts_with("##") ? v.tokens[id].substr(2) : "▁" + v.tokens[id];
  return std::nullopt;
}

std::optional<std::string> kind_of(Vocabulary& v, const Json& root) {
  const Json model = root.at("model");
  const std::string type = type_of(model);
  const bool bytes = type_of(optional_member(root, "decoder")) == "ByteLevel";
  if (type == "BPE" && bytes) return byte_level(v, root);
  if (type == "BPE" && flag(model, "byte_fallback", false)) return sentence_piece(v, root);
  if (type == "WordPiece") return word_piece(v, root);
  return "GGUF has no counterpart of a " + type + " model like this one";
}

bool adds_prefix(const Json& root) {
  for (const Json& step : steps_of(optional_member(root, "normalizer"), "normalizers"))
    if (type_of(step) == "Prepend") return true;
  const auto metaspace = optional_member(root, "pre_tokenizer");
  return type_of(metaspace) == "Metaspace" && text::string_member(*metaspace, "prepend_scheme", "always") != "never";
}

}  // namespace

std::optional<std::string> write_gguf_vocabulary(GgufWriter& out, const std::string& tokenizer_json,
                                                 const Config& config, const Limits& limits) {
  const JsonDocument document = JsonDocument::read(tokenizer_json, limits);
  const Json root = document.root();
  Vocabulary v;
  put_tokens(v, root, limits);
  if (const std::string unknown = text::string_member(root.at("model"), "unk_token", ""); !unknown.empty())
    if (const auto found = std::ranges::find(v.tokens, unknown); found != v.tokens.end()) {
      const auto id = static_cast<size_t>(found - v.tokens.begin());
      v.types[id] = kUnknown;
      out.integer("tokenizer.ggml.unknown_token_id", static_cast<uint32_t>(id));
    }
  if (std::optional<std::string> why = kind_of(v, root)) return why;
  // An embedding may have more rows than there are tokens.
  for (auto rows = config.int_or("vocab_size", 0, {0, 1 << 26}); static_cast<int64_t>(v.tokens.size()) < rows;) {
    const size_t id = v.tokens.size();
    put(v, static_cast<int64_t>(id), "[PAD" + std::to_string(id) + "]", kUnused);
    if (!v.scores.empty()) v.scores.push_back(0);
  }
  out.text("tokenizer.ggml.model", v.model);
  out.text("tokenizer.ggml.pre", v.pre);
  out.texts("tokenizer.ggml.tokens", v.tokens);
  out.integers("tokenizer.ggml.token_type", v.types);
  if (!v.scores.empty()) out.reals("tokenizer.ggml.scores", v.scores);
  if (!v.merges.empty()) out.texts("tokenizer.ggml.merges", v.merges);
  const Tokenizer tokenizer = Tokenizer::load(tokenizer_json, limits);
  const std::vector<int32_t> frame = tokenizer.encode("").ids;
  if (v.model == "bert") {
    if (!frame.empty()) out.integer("tokenizer.ggml.cls_token_id", static_cast<uint32_t>(frame.front()));
    if (frame.size() > 1) out.integer("tokenizer.ggml.seperator_token_id", static_cast<uint32_t>(frame.back()));
    return std::nullopt;
  }
  const auto bos = config.int_or("bos_token_id", -1);
  out.flag("tokenizer.ggml.add_bos_token", !frame.empty() && frame.front() == bos);
  out.flag("tokenizer.ggml.add_eos_token", frame.size() > (frame.empty() || frame.front() != bos ? 0u : 1u));
  if (v.model == "llama") out.flag("tokenizer.ggml.add_space_prefix", adds_prefix(root));
  return std::nullopt;
}

}  // namespace braid
