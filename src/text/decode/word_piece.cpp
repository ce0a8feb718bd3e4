// WordPiece, CTC and the BPE of end-of-word suffixes: decoders of words.

#include "text/base/kinds.h"
#include "text/decode/decoder.h"

namespace braid::text {
namespace {

/// A token with the prefix joins the one before it; others follow a space.
class WordPiece final : public Decoder {
 public:
  WordPiece(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0) tokens[i] = tokens[i].starts_with(prefix_) ? tokens[i].substr(prefix_.size()) : " " + tokens[i];
      if (cleanup_) tokens[i] = cleaned_up(std::move(tokens[i]));
    }
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

/// Connectionist temporal classification: repeated tokens count once, the padding token is silence.
class Ctc final : public Decoder {
 public:
  Ctc(std::string pad, std::string delimiter, bool cleanup)
      : pad_(std::move(pad)), delimiter_(std::move(delimiter)), cleanup_(cleanup) {}
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> out;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && tokens[i] == tokens[i - 1]) continue;
      std::string text = replaced(tokens[i], pad_, "");
      if (cleanup_) text = replaced(cleaned_up(std::move(text)), delimiter_, " ");
      if (!text.empty()) out.push_back(std::move(text));
    }
    tokens = std::move(out);
  }

 private:
  std::string pad_, delimiter_;
  bool cleanup_;
};

class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = replaced(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
  }

 private:
  std::string suffix_;
};

}  // namespace

std::unique_ptr<Decoder> make_word_piece_decoder(const Json& node, const Limits&) {
  return std::make_unique<WordPiece>(string_member(node, "prefix", "##"), flag(node, "cleanup", true));
}
std::unique_ptr<Decoder> make_ctc(const Json& node, const Limits&) {
  return std::make_unique<Ctc>(string_member(node, "pad_token", "<pad>"),
                               string_member(node, "word_delimiter_token", "|"), flag(node, "cleanup", true));
}
std::unique_ptr<Decoder> make_bpe_decoder(const Json& node, const Limits&) {
  return std::make_unique<BpeDecoder>(string_member(node, "suffix", "</w>"));
}

}  // namespace braid::text
