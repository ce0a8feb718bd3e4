#include "text/readers/gguf_vocabulary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "text/model/make.h"
#include "text/readers/gguf_pre.h"
#include "text/readers/sections.h"
#include "text/readers/sentence_piece.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

using Type = SentencePieces::Type;

constexpr std::string_view kSpace = "▁";  // before a token that begins a word
constexpr const char* kTokens = "tokenizer.ggml.tokens";

class Reader {
 public:
  Reader(const GgufVocabulary& vocabulary, const Limits& limits) : v_(vocabulary), limits_(limits) { check(); }

  TokenizerParts parts() {
    struct Model {
      std::string_view name;
      TokenizerParts (Reader::*read)();
    };
    static constexpr Model kModels[] = {{"llama", &Reader::sentence_piece_bpe},
                                        {"gpt2", &Reader::byte_level},
                                        {"bert", &Reader::word_piece},
                                        {"t5", &Reader::sentence_piece_unigram}};
    for (const Model& model : kModels) {
      if (model.name != v_.model) continue;
      TokenizerParts parts = (this->*model.read)();
      parts.file = v_.file;
      parts.limits = limits_;
      return parts;
    }
    fail("tokenizer.ggml.model", "unknown kind of vocabulary \"" + std::string(v_.model.substr(0, 64)) + "\"",
         "llama, gpt2, bert and t5 are read");
  }

 private:
  [[noreturn]] void fail(std::string field, std::string what, std::string advice = {}) const {
    throw Error(std::move(what), {.file = v_.file, .field = std::move(field), .offset = {}}, std::move(advice));
  }
  static std::string at(size_t id) { return std::string(kTokens) + "[" + std::to_string(id) + "]"; }

  void check() const {
    if (v_.tokens.empty() || v_.tokens.size() > limits_.max_vocabulary)
      fail(kTokens, std::to_string(v_.tokens.size()) + " tokens are none or more than the limit of " +
                        std::to_string(limits_.max_vocabulary));
    const auto same_length = [&](const char* key, size_t size) {
      if (size != 0 && size != v_.tokens.size())
        fail(key, std::to_string(size) + " entries for " + std::to_string(v_.tokens.size()) + " tokens");
    };
    same_length("tokenizer.ggml.scores", v_.scores.size());
    same_length("tokenizer.ggml.token_type", v_.types.size());
    for (size_t id = 0; id < v_.types.size(); ++id)
      if (v_.types[id] < 1 || v_.types[id] > 6)
        fail("tokenizer.ggml.token_type[" + std::to_string(id) + "]", "unknown type " + std::to_string(v_.types[id]));
    for (size_t id = 0; id < v_.tokens.size(); ++id) {
      if (v_.tokens[id].size() > limits_.max_token_bytes)
        fail(at(id), "a token of " + std::to_string(v_.tokens[id].size()) + " bytes is too long");
      if (utf8::first_invalid(v_.tokens[id])) fail(at(id), "the token is not UTF-8");
    }
  }

  Type type(size_t id) const { return v_.types.empty() ? Type::normal : static_cast<Type>(v_.types[id]); }
  bool is_added(size_t id) const {
    return type(id) == Type::control || type(id) == Type::user_defined || type(id) == Type::unknown;
  }

  /// A special token's id, where the file has one.
  std::vector<int32_t> token(const char* name, std::optional<int64_t> id) const {
    if (!id) return {};
    if (*id < 0 || static_cast<uint64_t>(*id) >= v_.tokens.size())
      fail("tokenizer.ggml." + std::string(name) + "_token_id",
           "the token " + std::to_string(*id) + " is outside the vocabulary of " + std::to_string(v_.tokens.size()));
    return {static_cast<int32_t>(*id)};
  }
  std::vector<int32_t> bos(bool otherwise) const {
    return v_.add_bos.value_or(otherwise) ? token("bos", v_.bos) : std::vector<int32_t>{};
  }
  std::vector<int32_t> eos(bool otherwise) const {
    return v_.add_eos.value_or(otherwise) ? token("eos", v_.eos) : std::vector<int32_t>{};
  }

  SentencePieces pieces() const {
    SentencePieces model;
    for (size_t id = 0; id < v_.tokens.size(); ++id)
      model.pieces.push_back({v_.tokens[id], v_.scores.empty() ? 0.0f : v_.scores[id], type(id)});
    model.charsmap = v_.charsmap;
    model.add_dummy_prefix = v_.add_space_prefix.value_or(true);
    model.special_take_spaces = v_.special_take_spaces;
    model.file = v_.file;
    model.field = kTokens;
    return model;
  }

  TokenizerParts sentence_piece_bpe() {
    SentencePieces model = pieces();
    model.byte_fallback = true;
    model.remove_extra_whitespaces = v_.remove_extra_whitespaces.value_or(false);
    model.before = bos(true);
    model.after = eos(false);
    return sentence_piece_parts(model, limits_);
  }

  TokenizerParts sentence_piece_unigram() {
    SentencePieces model = pieces();
    model.unigram = true;
    model.remove_extra_whitespaces = v_.remove_extra_whitespaces.value_or(true);
    model.before = bos(false);
    model.after = eos(true);
    return sentence_piece_parts(model, limits_);
  }

  void add_tokens(TokenizerParts& parts) const {
    for (size_t id = 0; id < v_.tokens.size(); ++id) {
      if (!is_added(id) || v_.tokens[id].empty()) continue;
      parts.added.add({.content = std::string(v_.tokens[id]),
                       .id = static_cast<int32_t>(id),
                       .special = type(id) != Type::user_defined,
                       .spelling = {}},
                      parts.normalizer.get());
    }
  }

  /// Added tokens stay out of it: no text but their own gives them.
  Vocabulary vocabulary(std::string (*spelling)(std::string_view token)) const {
    Vocabulary vocabulary;
    for (size_t id = 0; id < v_.tokens.size(); ++id) {
      const bool unused = type(id) == Type::unused || type(id) == Type::user_defined;
      if (!vocabulary.add(is_added(id) ? std::string(v_.tokens[id]) : spelling(v_.tokens[id]),
                          static_cast<int32_t>(id)) &&
          !unused)
        fail(at(id), "the token \"" + std::string(v_.tokens[id].substr(0, 64)) + "\" occurs twice");
    }
    return vocabulary;
  }

  TokenizerParts byte_level() {
    const GgufPreTokenizer* pre = find_gguf_pre_tokenizer(v_.pre);
    if (pre == nullptr) {
      std::string known;
      for (const std::string_view name : gguf_pre_tokenizers()) known += (known.empty() ? "" : " ") + std::string(name);
      fail("tokenizer.ggml.pre", "unknown pre-tokeniser \"" + std::string(v_.pre.substr(0, 64)) + "\"",
           "Braid knows " + known);
    }
    TokenizerParts parts;
    if (!pre->normalizer.empty()) parts.normalizer = normalizer_section(pre->normalizer, limits_);
    parts.pre_tokenizer = pre_tokenizer_section(byte_level_split(pre->patterns), limits_);
    BpeParts bpe{.vocabulary = vocabulary([](std::string_view token) { return std::string(token); }), .merges = {}};
    bpe.merges = MergeTable::read(v_.merges, bpe.vocabulary, [&](size_t i, const std::string& what) {
      fail("tokenizer.ggml.merges[" + std::to_string(i) + "]", what);
    });
    bpe.ignore_merges = pre->ignore_merges;
    parts.model = make_bpe(std::move(bpe));
    add_tokens(parts);
    parts.decoder = decoder_section(kByteLevelDecoder, limits_);
    Frame frame{.before = bos(pre->add_bos), .after = eos(false), .between = {}, .second_type = 0};
    frame.between = frame.after;
    frame.between.insert(frame.between.end(), frame.before.begin(), frame.before.end());
    parts.post_processor = frame_section(frame, limits_);
    return parts;
  }

  /// Files mark tokens that begin a word where BERT marks those that continue one.
  static std::string bert_spelling(std::string_view token) {
    return token.starts_with(kSpace) ? std::string(token.substr(kSpace.size())) : "##" + std::string(token);
  }

  TokenizerParts word_piece() {
    TokenizerParts parts;
    parts.normalizer = normalizer_section(bert_normalizer({}), limits_);
    parts.pre_tokenizer = pre_tokenizer_section(R"({"type": "BertPreTokenizer"})", limits_);
    const std::vector<int32_t> unknown = token("unknown", v_.unknown);
    std::string name = unknown.empty() ? "[UNK]" : std::string(v_.tokens[static_cast<size_t>(unknown[0])]);
    Vocabulary words = vocabulary(bert_spelling);
    if (!words.find(name) && !unknown.empty()) name = bert_spelling(name);
    parts.model = make_word_piece({.vocabulary = std::move(words), .unknown = name});
    add_tokens(parts);
    parts.decoder = decoder_section(R"({"type": "WordPiece", "prefix": "##", "cleanup": true})", limits_);
    Frame frame;
    if (v_.add_bos.value_or(true)) frame.before = token("cls", v_.cls ? v_.cls : v_.bos);
    if (v_.add_separator.value_or(true)) frame.after = frame.between = token("seperator", v_.separator);
    frame.second_type = 1;
    parts.post_processor = frame_section(frame, limits_);
    return parts;
  }

  const GgufVocabulary& v_;
  const Limits& limits_;
};

}  // namespace

TokenizerParts gguf_vocabulary_parts(const GgufVocabulary& vocabulary, const Limits& limits) {
  return Reader(vocabulary, limits).parts();
}

}  // namespace braid::text
