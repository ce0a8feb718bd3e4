#include "text/tokenizer.h"

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "text/parts.h"
#include "text/readers/folder.h"
#include "text/unicode/utf8.h"
#include "text/word_cache.h"

namespace braid {
namespace text {
namespace {

/// Byte offsets of a text as code points. Tokens come nearly in order, so it counts on from where it stands.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text)
      : text_(text),
        ascii_(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; })) {}

  std::pair<int64_t, int64_t> operator()(const Span& bytes) {
    if (ascii_) return {bytes.begin, bytes.end};
    if (bytes.begin == bytes.end)
      return {starts_before(bytes.begin), starts_before(bytes.begin)};  // inserted, from nothing
    const int64_t first = starts_before(bytes.begin + 1) - 1;
    return {first, starts_before(bytes.end)};
  }

 private:
  /// Characters that start before byte `end`.
  int64_t starts_before(size_t end) {
    for (; at_ < end; ++at_) count_ += !utf8::is_continuation(text_[at_]);
    for (; at_ > end; --at_) count_ -= !utf8::is_continuation(text_[at_ - 1]);
    return count_;
  }

  std::string_view text_;
  bool ascii_;
  size_t at_ = 0;
  int64_t count_ = 0;
};

/// What one call of encode needs; kept for the next one.
struct Work {
  std::unique_ptr<Model::Scratch> scratch;
  WordCache cache;
  std::vector<Token> tokens;
};

}  // namespace
}  // namespace text

using namespace text;

struct Tokenizer::State {
  TokenizerParts parts;
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Work>> idle;

  std::unique_ptr<Work> take() const {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        std::unique_ptr<Work> work = std::move(idle.back());
        idle.pop_back();
        return work;
      }
    }
    auto work = std::make_unique<Work>();
    work->scratch = parts.model->make_scratch();
    return work;
  }
  /// A long text may hold a long word, for which the model took memory that nobody should keep.
  void give(std::unique_ptr<Work> work, size_t text_bytes) const {
    constexpr size_t kLongText = 1 << 20;
    if (text_bytes > kLongText) return;
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(work));
  }

  PreTokenized pre_tokenize(std::string_view text, const SpecialRule& rule) const;
  Segment encode_one(std::string_view text, int32_t type_id, const SpecialRule& rule) const;
  std::span<const Token> tokenize(const Word& word, Work& work) const;
  void check(std::string_view text, const char* name) const;
  /// How many tokens the post-processor puts around one text or a pair.
  uint64_t added_tokens(size_t texts) const;
};

void Tokenizer::State::check(std::string_view text, const char* name) const {
  if (text.size() > parts.limits.max_text_bytes) {
    throw Error("the text has " + std::to_string(text.size()) + " bytes, more than the limit of " +
                    std::to_string(parts.limits.max_text_bytes),
                {{}, name, {}});
  }
  if (const auto offset = utf8::first_invalid(text)) throw Error("the text is not UTF-8", {{}, name, *offset});
}

PreTokenized Tokenizer::State::pre_tokenize(std::string_view text, const SpecialRule& rule) const {
  PreTokenized result;
  if (text.empty()) return result;
  result.items.push_back({Piece{.text = text}});
  parts.added.extract(result, false, rule);
  if (parts.normalizer) {
    result.split([&](const Piece& piece, auto emit) { emit(parts.normalizer->apply(piece, result.arena)); });
  }
  parts.added.extract(result, true, rule);
  if (parts.pre_tokenizer) parts.pre_tokenizer->apply(result);
  if (!parts.model->reads_bytes()) result.spell();
  return result;
}

std::span<const Token> Tokenizer::State::tokenize(const Word& word, Work& work) const {
  if (const auto* known = work.cache.find(word.text)) return *known;
  work.tokens.clear();
  parts.model->tokenize(word, *work.scratch, work.tokens);
  work.cache.insert(word.text, work.tokens);
  return work.tokens;
}

Segment Tokenizer::State::encode_one(std::string_view text, int32_t type_id, const SpecialRule& rule) const {
  const PreTokenized words = pre_tokenize(text, rule);
  const bool with_blanks = parts.post_processor && parts.post_processor->reads_blanks();
  CodePoints code_points(text);
  Segment segment;
  auto& [ids, offsets, type_ids] = segment.encoding;
  std::unique_ptr<Work> work = take();
  for (const auto& [piece, added] : words.items) {
    if (added >= 0) {
      ids.push_back(added);
      offsets.push_back(code_points(piece.source(0, piece.text.size())));
      if (with_blanks) segment.blanks.push_back(count_blanks(piece.text));
      continue;
    }
    const Word word{piece.text, words.byte_level};
    for (size_t begin = 0, end = 0; begin < word.text.size(); begin = end) {
      end = parts.model->part_end(word, begin);
      for (const Token& token : tokenize({word.text.substr(begin, end - begin), word.bytes}, *work)) {
        ids.push_back(token.id);
        offsets.push_back(token.begin < token.end ? code_points(piece.source(begin + token.begin, begin + token.end))
                                                  : std::pair<int64_t, int64_t>(0, 0));
        if (with_blanks) segment.blanks.push_back(count_blanks(parts.model->vocabulary().token(token.id).value_or("")));
      }
    }
  }
  give(std::move(work), text.size());
  type_ids.assign(ids.size(), type_id);
  return segment;
}

uint64_t Tokenizer::State::added_tokens(size_t texts) const {
  std::vector<Segment> empty(texts);
  if (parts.post_processor) parts.post_processor->apply(empty, true);
  uint64_t count = 0;
  for (const Segment& segment : empty) count += segment.encoding.ids.size();
  return count;
}

Tokenizer Tokenizer::load(const std::string& path, const Limits& limits) {
  if (std::filesystem::is_directory(path)) return Tokenizer(read_tokenizer_folder(path, limits));
  return Tokenizer(read_tokenizer_file(path, limits));
}

bool Tokenizer::is_in(const std::string& folder) { return has_tokenizer(folder); }

Tokenizer Tokenizer::parse(std::string_view json, const std::string& file, const Limits& limits) {
  const JsonDocument document = JsonDocument::parse(json, file, limits);
  return Tokenizer(read_tokenizer_json(document.root(), file, limits));
}

Tokenizer::Tokenizer(TokenizerParts parts) : state_(std::make_unique<State>()) { state_->parts = std::move(parts); }
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Encoding Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  const TokenizerParts& parts = state_->parts;
  state_->check(text, "text");
  if (options.pair) state_->check(*options.pair, "pair");
  std::vector<Segment> segments;
  try {
    segments.push_back(state_->encode_one(text, 0, {options.parse_special, options.plain}));
    if (options.pair) segments.push_back(state_->encode_one(*options.pair, 1, {options.parse_special, {}}));
    if (options.lengths && parts.truncation)
      truncate(segments, *parts.truncation, options.add_special ? state_->added_tokens(segments.size()) : 0);
    if (parts.post_processor) parts.post_processor->apply(segments, options.add_special);
  } catch (const Error& error) {  // a part knows its place in the file, not the file
    if (!error.place().file.empty()) throw;
    throw Error(error.message(), {parts.file, error.place().field, error.place().offset}, error.advice());
  }
  Encoding whole;
  if (segments.size() == 1) whole = std::move(segments.front().encoding);
  for (size_t i = 0; segments.size() > 1 && i < segments.size(); ++i) {
    const Encoding& e = segments[i].encoding;
    whole.ids.insert(whole.ids.end(), e.ids.begin(), e.ids.end());
    whole.offsets.insert(whole.offsets.end(), e.offsets.begin(), e.offsets.end());
    whole.type_ids.insert(whole.type_ids.end(), e.type_ids.begin(), e.type_ids.end());
  }
  if (options.lengths && parts.padding) pad(whole, *parts.padding);
  return whole;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  const TokenizerParts& parts = state_->parts;
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const int32_t id : ids) {
    if (const AddedToken* added = parts.added.find(id)) {
      if (!skip_special || !added->special) tokens.push_back(added->spelling);
    } else if (const auto token = parts.model->vocabulary().token(id)) {
      tokens.emplace_back(*token);
    }
  }
  if (parts.decoder) parts.decoder->apply(tokens);
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && !parts.decoder) text += ' ';
    text += tokens[i];
  }
  return text;
}

std::optional<int32_t> Tokenizer::token_to_id(std::string_view token) const {
  if (const AddedToken* added = state_->parts.added.find(token)) return added->id;
  return state_->parts.model->vocabulary().find(token);
}

std::optional<std::string> Tokenizer::id_to_token(int32_t id) const {
  if (const AddedToken* added = state_->parts.added.find(id)) return added->content;
  if (const auto token = state_->parts.model->vocabulary().token(id)) return std::string(*token);
  return std::nullopt;
}

bool Tokenizer::is_special(int32_t id) const {
  const AddedToken* added = state_->parts.added.find(id);
  return added != nullptr && added->special;
}

int32_t Tokenizer::vocabulary_size() const {
  auto end = static_cast<int32_t>(state_->parts.model->vocabulary().end());
  for (const AddedToken& token : state_->parts.added.all()) end = std::max(end, token.id + 1);
  return end;
}

const std::vector<std::string>& Tokenizer::notes() const { return state_->parts.notes; }

}  // namespace braid
