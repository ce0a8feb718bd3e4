#include "text/readers/classic.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>

#include "core/error.h"
#include "core/file_map.h"
#include "text/base/kinds.h"
#include "text/model/make.h"
#include "text/readers/gguf_pre.h"
#include "text/readers/sections.h"
#include "text/unicode/byte_alphabet.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

namespace fs = std::filesystem;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

[[noreturn]] void fail_line(const std::string& file, size_t line, std::string what) {
  throw Error(std::move(what), {.file = file, .field = "line " + std::to_string(line + 1), .offset = {}});
}

/// A special token's content: a string, or an object that describes it.
std::string content_of(const Json& token) {
  if (token.is_object()) return std::string(token.at("content").as_string());
  return std::string(token.as_string());
}

void read_special(TokenizerConfig& config, const Json& root) {
  for (const auto& [key, to] : {std::pair("bos_token", &config.bos),
                                {"eos_token", &config.eos},
                                {"unk_token", &config.unknown},
                                {"sep_token", &config.separator},
                                {"cls_token", &config.cls}})
    if (const auto token = optional_member(root, key); token && to->empty()) *to = content_of(*token);
}

std::optional<bool> flag_if(const Json& root, std::string_view key) {
  const auto member = optional_member(root, key);
  return member ? std::optional(member->as_bool()) : std::nullopt;
}

std::string decode_base64_line(std::string_view text, const std::string& file, size_t line) {
  std::string bytes;
  uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text.substr(0, text.find('='))) {
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) fail_line(file, line, "the token is not Base64");
    buffer = buffer << 6 | static_cast<uint32_t>(value);
    if ((bits += 6) >= 8) bytes += static_cast<char>(buffer >> (bits -= 8) & 0xFF);
  }
  return bytes;
}

/// Published files of ranks, by how many they hold: the pre-tokeniser's name in the table of GGUF's.
struct KnownRanks {
  size_t count;
  std::string_view pre;
};
constexpr KnownRanks kRanks[] = {{50'256, "gpt-2"},       // gpt2, r50k_base, Whisper's English
                                 {50'257, "gpt-2"},       // Whisper's multilingual, with an empty token
                                 {100'256, "llama-bpe"},  // cl100k_base, whose pattern Llama 3 took over
                                 {128'000, "llama-bpe"}, {151'643, "qwen2"}, {199'998, "gpt-4o"}};

/// The first of a list of tokens that the vocabulary has.
std::vector<int32_t> ids_of(const TokenizerParts& parts, std::string_view token) {
  if (token.empty()) return {};
  if (const AddedToken* added = parts.added.find(token)) return {added->id};
  if (const auto id = parts.model->vocabulary().find(token)) return {*id};
  return {};
}

void add_special(TokenizerParts& parts, const TokenizerConfig& config) {
  for (AddedToken token : config.added) parts.added.add(std::move(token), parts.normalizer.get());
  for (const std::string* token : {&config.bos, &config.eos, &config.unknown, &config.separator, &config.cls}) {
    if (token->empty() || parts.added.find(*token) != nullptr) continue;
    if (const auto id = parts.model->vocabulary().find(*token))
      parts.added.add({.content = *token, .id = *id, .special = true, .spelling = {}}, parts.normalizer.get());
  }
}

/// How a class of transformers wraps byte-level BPE.
struct ByteLevelClass {
  std::string_view name, pre;
  bool framed = false;  ///< <s> text </s>, with </s></s> between a pair
};
constexpr ByteLevelClass kByteLevelClasses[] = {{"", "gpt-2"},
                                                {"GPT2Tokenizer", "gpt-2"},
                                                {"Qwen2Tokenizer", "qwen2"},
                                                {"RobertaTokenizer", "gpt-2", true},
                                                {"BartTokenizer", "gpt-2", true},
                                                {"LongformerTokenizer", "gpt-2", true},
                                                {"WhisperTokenizer", "gpt-2"},
                                                {"CodeGenTokenizer", "gpt-2"}};

}  // namespace

TokenizerConfig read_tokenizer_config(const std::string& folder, const Limits& limits) {
  TokenizerConfig config;
  if (const fs::path path = fs::path(folder) / "tokenizer_config.json"; fs::exists(path)) {
    const JsonDocument document = JsonDocument::read(path.string(), limits);
    const Json root = document.root();
    config.tokenizer_class = string_member(root, "tokenizer_class", "");
    if (config.tokenizer_class.ends_with("Fast")) config.tokenizer_class.resize(config.tokenizer_class.size() - 4);
    config.add_bos = flag_if(root, "add_bos_token");
    config.add_eos = flag_if(root, "add_eos_token");
    config.lowercase = flag_if(root, "do_lower_case");
    config.chinese = flag_if(root, "tokenize_chinese_chars");
    config.strip_accents = flag_if(root, "strip_accents");
    config.add_prefix_space = flag_if(root, "add_prefix_space");
    config.legacy = flag_if(root, "legacy");
    read_special(config, root);
    if (const auto added = optional_member(root, "added_tokens_decoder")) {
      for (size_t i = 0; i < added->size(); ++i) {
        const Json entry = added->value(i);
        int32_t id = -1;
        const std::string_view key = added->key(i);
        const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
        if (error != std::errc() || end != key.data() + key.size() || id < 0 ||
            static_cast<uint64_t>(id) >= limits.max_vocabulary)
          entry.fail("\"" + std::string(key.substr(0, 32)) + "\" is no token id");
        config.added.push_back({.content = std::string(entry.at("content").as_string()),
                                .id = id,
                                .single_word = flag(entry, "single_word", false),
                                .lstrip = flag(entry, "lstrip", false),
                                .rstrip = flag(entry, "rstrip", false),
                                .normalized = flag(entry, "normalized", false),
                                .special = flag(entry, "special", false),
                                .spelling = {}});
      }
    }
  }
  if (const fs::path path = fs::path(folder) / "special_tokens_map.json"; fs::exists(path))
    read_special(config, JsonDocument::read(path.string(), limits).root());
  return config;
}

TokenizerParts read_tiktoken(const std::string& text, const std::string& file, const Limits& limits) {
  const std::vector<std::string_view> lines = lines_of(text);
  if (lines.size() > limits.max_vocabulary) fail_line(file, limits.max_vocabulary, "more ranks than the limit");
  BpeParts bpe;
  std::vector<float> scores;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const size_t space = lines[i].find(' ');
    int32_t rank = -1;
    const std::string_view number = space == std::string_view::npos ? std::string_view() : lines[i].substr(space + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rank);
    if (number.empty() || error != std::errc() || end != number.data() + number.size() || rank < 0 ||
        static_cast<uint64_t>(rank) >= limits.max_vocabulary)
      fail_line(file, i, "expected a token in Base64 and its rank");
    std::string spelling;
    byte_alphabet::spell(decode_base64_line(lines[i].substr(0, space), file, i), spelling);
    if (!bpe.vocabulary.add(spelling, rank)) fail_line(file, i, "the token or its rank occurs twice");
    if (scores.size() <= static_cast<size_t>(rank))
      scores.resize(static_cast<size_t>(rank) + 1, -std::numeric_limits<float>::infinity());
    scores[static_cast<size_t>(rank)] = -static_cast<float>(rank);  // exact: ranks lie far below 2^24
  }
  const size_t count = bpe.vocabulary.size();
  const auto known = std::ranges::find(kRanks, count, &KnownRanks::count);
  if (known == std::end(kRanks))
    throw Error(
        "a file of " + std::to_string(count) + " ranks is none of the published ones, so its pattern is not known",
        {.file = file, .field = {}, .offset = {}}, "use the model's tokenizer.json");
  const GgufPreTokenizer& pre = *find_gguf_pre_tokenizer(known->pre);
  TokenizerParts parts;
  bpe.merges = MergeTable::from_scores(bpe.vocabulary, scores);
  bpe.ignore_merges = true;  // a word that has a rank is a token
  parts.model = make_bpe(std::move(bpe));
  parts.pre_tokenizer = pre_tokenizer_section(byte_level_split(pre.patterns), limits);
  parts.decoder = decoder_section(kByteLevelDecoder, limits);
  parts.file = file;
  parts.limits = limits;
  return parts;
}

TokenizerParts read_vocab_and_merges(const std::string& folder, const TokenizerConfig& config, const Limits& limits) {
  const auto cls = std::ranges::find(kByteLevelClasses, config.tokenizer_class, &ByteLevelClass::name);
  if (cls == std::end(kByteLevelClasses))
    throw Error(
        "a vocab.json of the class " + config.tokenizer_class + " is not supported",
        {.file = (fs::path(folder) / "tokenizer_config.json").string(), .field = "tokenizer_class", .offset = {}},
        "use the model's tokenizer.json");
  const GgufPreTokenizer& pre = *find_gguf_pre_tokenizer(cls->pre);
  const JsonDocument document = JsonDocument::read((fs::path(folder) / "vocab.json").string(), limits);
  const std::string merges_file = (fs::path(folder) / "merges.txt").string();
  const std::string merges = read_text_file(merges_file, limits.max_json_bytes);
  std::vector<std::string_view> lines = lines_of(merges);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();

  TokenizerParts parts;
  parts.file = document.file();
  parts.limits = limits;
  if (!pre.normalizer.empty()) parts.normalizer = normalizer_section(pre.normalizer, limits);
  std::string cut = byte_level_split(pre.patterns);
  if (config.add_prefix_space.value_or(false))
    cut = R"({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true})";
  parts.pre_tokenizer = pre_tokenizer_section(cut, limits);
  BpeParts bpe{.vocabulary = Vocabulary::read(document.root(), limits), .merges = {}};
  bpe.merges = MergeTable::read(lines, bpe.vocabulary,
                                [&](size_t line, const std::string& what) { fail_line(merges_file, line, what); });
  parts.model = make_bpe(std::move(bpe));
  add_special(parts, config);
  parts.decoder = decoder_section(kByteLevelDecoder, limits);
  Frame frame;
  if (cls->framed) {
    frame.before = ids_of(parts, config.cls.empty() ? "<s>" : config.cls);
    frame.after = ids_of(parts, config.separator.empty() ? "</s>" : config.separator);
    frame.between = {frame.after};
    frame.between.insert(frame.between.end(), frame.after.begin(), frame.after.end());
  } else {
    if (config.add_bos.value_or(false)) frame.before = ids_of(parts, config.bos);
    if (config.add_eos.value_or(false)) frame.after = ids_of(parts, config.eos);
    frame.between = frame.after;
    frame.between.insert(frame.between.end(), frame.before.begin(), frame.before.end());
  }
  parts.post_processor = frame_section(frame, limits);
  return parts;
}

TokenizerParts read_vocab_txt(const std::string& text, const std::string& file, const TokenizerConfig& config,
                              const Limits& limits) {
  std::vector<std::string_view> lines = lines_of(text);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.size() > limits.max_vocabulary) fail_line(file, limits.max_vocabulary, "more tokens than the limit");
  Vocabulary vocabulary;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].size() > limits.max_token_bytes) fail_line(file, i, "the token is too long");
    if (utf8::first_invalid(lines[i])) fail_line(file, i, "the token is not UTF-8");
    if (!vocabulary.add(lines[i], static_cast<int32_t>(i)))
      fail_line(file, i, "the token \"" + std::string(lines[i].substr(0, 64)) + "\" occurs twice");
  }
  const auto or_else = [](const std::string& token, const char* otherwise) {
    return token.empty() ? std::string(otherwise) : token;
  };
  TokenizerConfig whole = config;
  whole.unknown = or_else(config.unknown, "[UNK]");
  whole.cls = or_else(config.cls, "[CLS]");
  whole.separator = or_else(config.separator, "[SEP]");
  for (const char* token : {"[PAD]", "[MASK]"})
    if (const auto id = vocabulary.find(token))
      whole.added.push_back({.content = token, .id = *id, .special = true, .spelling = {}});

  TokenizerParts parts;
  parts.file = file;
  parts.limits = limits;
  parts.normalizer = normalizer_section(bert_normalizer({.lowercase = config.lowercase.value_or(true),
                                                         .chinese = config.chinese.value_or(true),
                                                         .strip_accents = config.strip_accents}),
                                        limits);
  parts.pre_tokenizer = pre_tokenizer_section(R"({"type": "BertPreTokenizer"})", limits);
  parts.model = make_word_piece({.vocabulary = std::move(vocabulary), .unknown = whole.unknown});
  add_special(parts, whole);
  parts.decoder = decoder_section(R"({"type": "WordPiece", "prefix": "##", "cleanup": true})", limits);
  Frame frame{
      .before = ids_of(parts, whole.cls), .after = ids_of(parts, whole.separator), .between = {}, .second_type = 1};
  frame.between = frame.after;
  parts.post_processor = frame_section(frame, limits);
  return parts;
}

}  // namespace braid::text
