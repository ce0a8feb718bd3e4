#include "text/readers/folder.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/file_map.h"
#include "text/readers/classic.h"
#include "text/readers/sections.h"
#include "text/readers/sentence_piece.h"

namespace braid::text {
namespace {

namespace fs = std::filesystem;

/// SentencePiece models under the names of the Hub.
constexpr std::string_view kPieces[] = {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"};

bool present(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

/// What transformers' classes add to a SentencePiece model.
struct PieceClass {
  std::string_view name;
  bool bos, eos;
};
constexpr PieceClass kPieceClasses[] = {{"LlamaTokenizer", true, false}, {"CodeLlamaTokenizer", true, false},
                                        {"GemmaTokenizer", true, false}, {"T5Tokenizer", false, true},
                                        {"MT5Tokenizer", false, true},   {"PreTrainedTokenizer", true, false}};

std::vector<int32_t> piece(const SentencePieces& model, const std::string& token, std::string_view otherwise) {
  const std::string_view wanted = token.empty() ? otherwise : std::string_view(token);
  const auto found = std::ranges::find(model.pieces, wanted, &SentencePieces::Piece::text);
  if (found == model.pieces.end()) return {};
  return {static_cast<int32_t>(found - model.pieces.begin())};
}

/// Llama 3's tokenizer.model is a file of ranks under SentencePiece's name: its first line is Base64, a space, a
/// number.
bool holds_ranks(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, std::min<size_t>(bytes.find('\n'), 256));
  const size_t space = line.find(' ');
  return space != std::string_view::npos && space > 0 &&
         std::ranges::all_of(line, [](char c) { return c >= ' ' && c < 0x7f; });
}

TokenizerParts read_pieces(const std::string& path, const TokenizerConfig& config, const Limits& limits) {
  const std::string bytes = read_text_file(path, limits.max_json_bytes);
  if (holds_ranks(bytes)) return read_tiktoken(bytes, path, limits);
  SentencePieces model = read_sentence_piece(bytes, path, limits);
  const auto known = std::ranges::find(kPieceClasses, config.tokenizer_class, &PieceClass::name);
  if (known == std::end(kPieceClasses) && !config.tokenizer_class.empty())
    throw Error("a SentencePiece model of the class " + config.tokenizer_class + " is not supported",
                {.file = path, .field = "tokenizer_class", .offset = {}},
                "such classes renumber its pieces: use the model's tokenizer.json");
  const bool bos = known != std::end(kPieceClasses) ? known->bos : !model.unigram;
  const bool eos = known != std::end(kPieceClasses) ? known->eos : model.unigram;
  if (config.add_bos.value_or(bos)) model.before = piece(model, config.bos, "<s>");
  if (config.add_eos.value_or(eos)) model.after = piece(model, config.eos, "</s>");
  model.prefix_first_only = !config.legacy.value_or(true);
  TokenizerParts parts = sentence_piece_parts(model, limits);
  for (AddedToken token : config.added) parts.added.add(std::move(token), parts.normalizer.get());
  return parts;
}

/// tokenizer_config.json may add tokens to a tokenizer.json, and Llama's classes decide themselves about the tokens
/// around a text.
void amend(TokenizerParts& parts, const TokenizerConfig& config, const Limits& limits) {
  for (const AddedToken& token : config.added)
    if (parts.added.find(token.content) == nullptr && parts.added.find(token.id) == nullptr)
      parts.added.add(token, parts.normalizer.get());
  const bool decides = config.tokenizer_class == "LlamaTokenizer" || config.tokenizer_class == "CodeLlamaTokenizer" ||
                       config.tokenizer_class == "GemmaTokenizer";
  if (!decides || (!config.add_bos && !config.add_eos)) return;
  const auto token = [&](const std::string& content) {
    const AddedToken* added = content.empty() ? nullptr : parts.added.find(content);
    return added != nullptr ? std::vector<int32_t>{added->id} : std::vector<int32_t>{};
  };
  Frame frame;
  if (config.add_bos.value_or(true)) frame.before = token(config.bos);
  if (config.add_eos.value_or(false)) frame.after = token(config.eos);
  frame.between = frame.after;
  frame.between.insert(frame.between.end(), frame.before.begin(), frame.before.end());
  frame.second_type = 1;
  parts.post_processor = frame_section(frame, limits);
}

std::string tiktoken_file(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".tiktoken") return entry.path().string();
  return {};
}

std::string pieces_file(const fs::path& folder) {
  for (const std::string_view name : kPieces)
    if (present(folder / name)) return (folder / name).string();
  return {};
}

}  // namespace

bool has_tokenizer(const std::string& folder) {
  const fs::path path(folder);
  return present(path / "tokenizer.json") || !pieces_file(path).empty() ||
         (present(path / "vocab.json") && present(path / "merges.txt")) || present(path / "vocab.txt") ||
         !tiktoken_file(path).empty();
}

TokenizerParts read_tokenizer_folder(const std::string& folder, const Limits& limits) {
  const fs::path path(folder);
  const TokenizerConfig config = read_tokenizer_config(folder, limits);
  if (present(path / "tokenizer.json")) {
    const std::string file = (path / "tokenizer.json").string();
    const JsonDocument document = JsonDocument::read(file, limits);
    TokenizerParts parts = read_tokenizer_json(document.root(), file, limits);
    amend(parts, config, limits);
    return parts;
  }
  if (const std::string file = pieces_file(path); !file.empty()) return read_pieces(file, config, limits);
  if (present(path / "vocab.json") && present(path / "merges.txt"))
    return read_vocab_and_merges(folder, config, limits);
  if (const fs::path file = path / "vocab.txt"; present(file))
    return read_vocab_txt(read_text_file(file.string(), limits.max_json_bytes), file.string(), config, limits);
  if (const std::string file = tiktoken_file(path); !file.empty()) return read_tokenizer_file(file, limits);
  throw Error("the folder has no tokenizer", {.file = (path / "tokenizer.json").string(), .field = {}, .offset = {}},
              "expected tokenizer.json, tokenizer.model, vocab.json and merges.txt, vocab.txt or a .tiktoken file");
}

TokenizerParts read_tokenizer_file(const std::string& path, const Limits& limits) {
  const fs::path file(path);
  if (file.extension() == ".tiktoken") return read_tiktoken(read_text_file(path, limits.max_json_bytes), path, limits);
  const TokenizerConfig none;
  if (file.extension() == ".model") return read_pieces(path, none, limits);
  if (file.extension() == ".txt")
    return read_vocab_txt(read_text_file(path, limits.max_json_bytes), path, none, limits);
  const JsonDocument document = JsonDocument::read(path, limits);
  return read_tokenizer_json(document.root(), path, limits);
}

}  // namespace braid::text
