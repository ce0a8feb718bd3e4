#include "text/readers/sentence_piece.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "text/model/make.h"
#include "text/readers/sections.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

using Type = SentencePieces::Type;
using Piece = SentencePieces::Piece;

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

bool is_byte_name(std::string_view text) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
  return text.size() == 6 && text.starts_with("<0x") && digit(text[3]) && digit(text[4]) && text[5] == '>';
}

/// A user-defined piece that spells spaces can only be found in normalised text, by the model; others are found as they
/// stand, before.
bool is_found_by_model(const Piece& piece) {
  return piece.type == Type::user_defined && piece.text.find("▁") != std::string_view::npos;
}

class Reader {
 public:
  Reader(const SentencePieces& model, const Limits& limits) : model_(model), limits_(limits) {}

  TokenizerParts parts() {
    check();
    TokenizerParts parts;
    parts.file = model_.file;
    parts.limits = limits_;
    parts.normalizer = normalizer();
    parts.model = model_.unigram ? unigram() : bpe();
    for (size_t id = 0; id < model_.pieces.size(); ++id) {
      const Piece& piece = model_.pieces[id];
      const bool special = piece.type == Type::control || piece.type == Type::unknown;
      if (piece.text.empty() || !(special || (piece.type == Type::user_defined && !is_found_by_model(piece)))) continue;
      parts.added.add({.content = std::string(piece.text),
                       .id = static_cast<int32_t>(id),
                       .rstrip = model_.special_take_spaces && piece.type != Type::unknown,
                       .special = special,
                       .spelling = {}},
                      parts.normalizer.get());
    }
    if (model_.prefix_first_only && model_.escape_whitespaces)
      parts.pre_tokenizer = pre_tokenizer_section(
          std::string(R"({"type": "Metaspace", "replacement": "▁", "split": false, "prepend_scheme": )") +
              (model_.add_dummy_prefix ? R"("first"})" : R"("never"})"),
          limits_);
    parts.decoder = decoder();
    Frame frame{.before = model_.before, .after = model_.after, .between = {}, .second_type = 0};
    frame.between = frame.after;
    frame.between.insert(frame.between.end(), frame.before.begin(), frame.before.end());
    parts.post_processor = frame_section(frame, limits_);
    return parts;
  }

 private:
  [[noreturn]] void fail(size_t id, std::string what) const {
    std::optional<uint64_t> offset;
    if (!model_.content.empty()) offset = static_cast<uint64_t>(model_.pieces[id].text.data() - model_.content.data());
    throw Error(std::move(what),
                {.file = model_.file, .field = model_.field + "[" + std::to_string(id) + "]", .offset = offset});
  }

  void check() const {
    if (model_.pieces.empty() || model_.pieces.size() > limits_.max_vocabulary)
      throw Error(std::to_string(model_.pieces.size()) + " pieces are none or more than the limit of " +
                      std::to_string(limits_.max_vocabulary),
                  {.file = model_.file, .field = model_.field, .offset = {}});
    for (size_t id = 0; id < model_.pieces.size(); ++id) {
      const Piece& piece = model_.pieces[id];
      if (piece.text.size() > limits_.max_token_bytes)
        fail(id, "a piece of " + std::to_string(piece.text.size()) + " bytes is too long");
      if (utf8::first_invalid(piece.text)) fail(id, "the piece is not UTF-8");
      if (std::isnan(piece.score)) fail(id, "the score is no number");
      if (piece.type == Type::byte && !is_byte_name(piece.text))
        fail(id,
             "the byte token \"" + std::string(piece.text.substr(0, 16)) + "\" is not of the form <0x00> to <0xFF>");
    }
  }

  Vocabulary vocabulary() const {
    Vocabulary vocabulary;
    for (size_t id = 0; id < model_.pieces.size(); ++id) {
      const Piece& piece = model_.pieces[id];
      if (vocabulary.add(piece.text, static_cast<int32_t>(id))) continue;
      // Padding of a vocabulary may repeat itself: nothing is lost where the piece is found in no text.
      if (piece.type != Type::unused)
        fail(id, "the token \"" + std::string(piece.text.substr(0, 64)) + "\" occurs twice");
    }
    return vocabulary;
  }

  std::optional<int32_t> unknown() const {
    const auto found = std::ranges::find(model_.pieces, Type::unknown, &Piece::type);
    if (found == model_.pieces.end()) return std::nullopt;
    return static_cast<int32_t>(found - model_.pieces.begin());
  }

  std::unique_ptr<Model> bpe() const {
    BpeParts parts{.vocabulary = vocabulary(), .merges = {}};
    std::vector<float> scores;
    for (size_t id = 0; id < model_.pieces.size(); ++id) {
      const Piece& piece = model_.pieces[id];
      scores.push_back(piece.type == Type::normal ? piece.score : kNone);
      if (is_found_by_model(piece)) parts.whole.push_back(static_cast<int32_t>(id));
    }
    parts.merges = MergeTable::from_scores(parts.vocabulary, scores);
    parts.unknown = unknown();
    parts.fuse_unknown = true;
    parts.byte_fallback = model_.byte_fallback;
    return make_bpe(std::move(parts));
  }

  std::unique_ptr<Model> unigram() const {
    UnigramParts parts{
        .vocabulary = vocabulary(), .scores = {}, .unknown = unknown(), .byte_fallback = model_.byte_fallback};
    float highest = -std::numeric_limits<float>::infinity();
    for (const Piece& piece : model_.pieces)
      if (piece.type == Type::normal) highest = std::max(highest, piece.score);
    for (const Piece& piece : model_.pieces) {
      // A user-defined piece scores above any way to cut its text into others.
      const auto bytes = static_cast<float>(piece.text.size());
      parts.scores.push_back(piece.type == Type::normal ? piece.score
                             : is_found_by_model(piece) ? bytes * highest - 0.1f
                                                        : kNone);
    }
    return make_unigram(std::move(parts));
  }

  std::unique_ptr<Normalizer> normalizer() const {
    std::vector<std::string> steps;
    if (!model_.charsmap.empty())
      steps.push_back(R"({"type": "Precompiled", "precompiled_charsmap": ")" + to_base64(model_.charsmap) + "\"}");
    // Spaces alone count as such, no tabs or line ends. A space that the text itself spells "▁" is stripped at the end.
    if (model_.remove_extra_whitespaces) {
      steps.emplace_back(R"({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})");
      steps.emplace_back(R"({"type": "Replace", "pattern": {"Regex": "^ "}, "content": ""})");
    }
    if (model_.escape_whitespaces && !model_.prefix_first_only) {
      if (model_.add_dummy_prefix) steps.emplace_back(R"({"type": "Prepend", "prepend": "▁"})");
      steps.emplace_back(R"({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})");
    }
    if (model_.remove_extra_whitespaces)
      steps.emplace_back(R"({"type": "Replace", "pattern": {"Regex": "(?<![ ▁])[ ▁]+$"}, "content": ""})");
    if (steps.empty()) return nullptr;
    std::string json;
    for (const std::string& step : steps) json += (json.empty() ? "" : ", ") + step;
    return normalizer_section(R"({"type": "Sequence", "normalizers": [)" + json + "]}", limits_);
  }

  std::unique_ptr<Decoder> decoder() const {
    std::string json = R"({"type": "Sequence", "decoders": [)";
    if (model_.escape_whitespaces) json += R"({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, )";
    if (model_.byte_fallback) json += R"({"type": "ByteFallback"}, )";
    json += R"({"type": "Fuse"})";
    if ((model_.add_dummy_prefix || model_.remove_extra_whitespaces) && model_.escape_whitespaces)
      json += R"(, {"type": "Strip", "content": " ", "start": 1, "stop": 0})";
    return decoder_section(json + "]}", limits_);
  }

  const SentencePieces& model_;
  const Limits& limits_;
};

}  // namespace

TokenizerParts sentence_piece_parts(const SentencePieces& model, const Limits& limits) {
  return Reader(model, limits).parts();
}

}  // namespace braid::text
