#include "text/model/bpe.h"

#include <algorithm>
#include <cstdio>

#include "text/base/kinds.h"
#include "text/unicode/byte_alphabet.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

constexpr std::string_view kMark = "▁";

/// Whether a ▁ follows another character.
bool has_inner_mark(std::string_view token) {
  for (size_t at = token.find(kMark, 1); at != std::string_view::npos; at = token.find(kMark, at + 1))
    if (!token.substr(0, at).ends_with(kMark)) return true;
  return false;
}

}  // namespace

Bpe::Bpe(const Json& node, const Limits& limits)
    : vocabulary_(Vocabulary::read(node.at("vocab"), limits)),
      prefix_(string_member(node, "continuing_subword_prefix", "")),
      suffix_(string_member(node, "end_of_word_suffix", "")),
      fuse_unknown_(flag(node, "fuse_unk", false)),
      byte_fallback_(flag(node, "byte_fallback", false)),
      ignore_merges_(flag(node, "ignore_merges", false)) {
  merges_ = MergeTable::read(node.at("merges"), vocabulary_, prefix_, limits);
  if (const auto token = optional_member(node, "unk_token")) {
    unknown_ = vocabulary_.find(token->as_string());
    if (!unknown_)
      token->fail("the unknown token \"" + std::string(token->as_string()) + "\" is not in the vocabulary");
  }
  spell_bytes();
  parted_ = parts_at_marks();
  if (const auto dropout = optional_member(node, "dropout"); dropout && dropout->as_double() != 0) {
    note_ = "model.dropout is ignored: the same text always gives the same tokens";
  }
}

Bpe::Bpe(BpeParts parts)
    : vocabulary_(std::move(parts.vocabulary)),
      merges_(std::move(parts.merges)),
      unknown_(parts.unknown),
      fuse_unknown_(parts.fuse_unknown),
      byte_fallback_(parts.byte_fallback),
      ignore_merges_(parts.ignore_merges) {
  spell_bytes();
  for (const int32_t id : parts.whole) {
    const std::string_view token = vocabulary_.token(id).value_or("");
    if (token.empty()) continue;
    whole_.insert(token, id);
    has_whole_ = true;
  }
  parted_ = parts_at_marks() && std::ranges::none_of(parts.whole, [&](int32_t id) {
              return has_inner_mark(vocabulary_.token(id).value_or(""));
            });
}

bool Bpe::parts_at_marks() const {
  // Without an unknown token characters are left out, and what stood apart meets; whole words look beyond parts.
  if (!vocabulary_.find(kMark) || !unknown_ || ignore_merges_ || !prefix_.empty() || !suffix_.empty()) return false;
  const auto ends = [&](int32_t id) { return vocabulary_.token(id)->ends_with(kMark); };
  if (ends(*unknown_)) return false;  // it stands for other characters
  return merges_.all_of(
      [&](int32_t first, int32_t second) { return !vocabulary_.token(second)->starts_with(kMark) || ends(first); });
}

size_t Bpe::part_end(const Word& word, size_t begin) const {
  if (!parted_ || word.bytes) return word.text.size();
  while (word.text.substr(begin).starts_with(kMark)) begin += kMark.size();
  return std::min(word.text.find(kMark, begin), word.text.size());
}

void Bpe::spell_bytes() {
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::string spelling;
    utf8::append(spelling, byte_alphabet::character(static_cast<unsigned char>(byte)));
    byte_symbols_[byte] = vocabulary_.find(spelling).value_or(-1);
  }
}

void Bpe::tokenize(const Word& word, Scratch& scratch, std::vector<Token>& tokens) const {
  Work& work = static_cast<Work&>(scratch);
  if (ignore_merges_) {
    if (const auto id = whole(word, work)) {
      tokens.push_back({*id, 0, static_cast<uint32_t>(word.text.size())});
      return;
    }
  }
  split(word, work);
  merge_all(work);
  const auto size = static_cast<uint32_t>(word.text.size());
  uint32_t at = 0;
  for (const Symbol& symbol : work.symbols) {
    if (symbol.bytes == 0) continue;
    const uint32_t end = std::min(at + symbol.bytes, size);
    tokens.push_back({symbol.id, at, end});
    at = end;
  }
}

std::optional<int32_t> Bpe::whole(const Word& word, Work& work) const {
  if (!word.bytes) return vocabulary_.find(word.text);
  work.spelling.clear();
  byte_alphabet::spell(word.text, work.spelling);
  return vocabulary_.find(work.spelling);
}

std::pair<int32_t, uint32_t> Bpe::whole_at(std::string_view text, size_t at) const {
  std::pair<int32_t, uint32_t> found{-1, 0};
  uint32_t node = 0;
  for (size_t end = at; end < text.size();) {
    node = whole_.next(node, static_cast<uint8_t>(text[end++]));
    if (node == Trie::kNone) break;
    if (const int32_t id = whole_.value(node); id >= 0) found = {id, static_cast<uint32_t>(end - at)};
  }
  return found;
}

void Bpe::split(const Word& word, Work& work) const {
  const std::string_view text = word.text;
  work.symbols.clear();
  work.symbols.reserve(text.size());
  Unknown unknown;
  for (size_t at = 0; at < text.size();) {
    if (has_whole_ && !word.bytes) {
      if (const auto [id, length] = whole_at(text, at); id >= 0) {
        finish(unknown, work);
        work.symbols.push_back({id, length, 0, 0});
        at += length;
        continue;
      }
    }
    const uint32_t bytes = word.bytes ? 1 : utf8::length(text[at]);
    const std::string_view prefix = at == 0 ? std::string_view() : prefix_;
    const std::string_view suffix = at + bytes < text.size() ? std::string_view() : suffix_;
    const std::string_view symbol = text.substr(at, bytes);
    at += bytes;
    const int32_t known = word.bytes ? byte_symbols_[static_cast<uint8_t>(symbol[0])] : -1;
    if (known >= 0 && prefix.empty() && suffix.empty()) {
      finish(unknown, work);
      work.symbols.push_back({known, 1, 0, 0});
      continue;
    }
    work.spelling.assign(prefix);
    if (word.bytes)
      byte_alphabet::spell(symbol, work.spelling);
    else
      work.spelling += symbol;
    work.spelling += suffix;
    add(work.spelling, bytes, unknown, work);
  }
  finish(unknown, work);
}

void Bpe::add(std::string_view spelling, uint32_t bytes, Unknown& unknown, Work& work) const {
  if (const auto id = vocabulary_.find(spelling)) {
    finish(unknown, work);
    work.symbols.push_back({*id, bytes, 0, 0});
    return;
  }
  if (byte_fallback_ && add_fallback(spelling, work)) return;
  if (!unknown_) return;  // nothing stands for such characters: they are left out
  if (!fuse_unknown_) finish(unknown, work);
  unknown.pending = true;
  unknown.bytes += bytes;
}

/// "<0xNN>" for each byte; false when any of these tokens is missing.
bool Bpe::add_fallback(std::string_view spelling, Work& work) const {
  const size_t before = work.symbols.size();
  for (const char byte : spelling) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(static_cast<uint8_t>(byte)));
    const auto id = vocabulary_.find(name);
    if (!id) {
      work.symbols.resize(before);
      return false;
    }
    work.symbols.push_back({*id, 1, 0, 0});
  }
  return true;
}

void Bpe::finish(Unknown& unknown, Work& work) const {
  if (!unknown.pending) return;
  work.symbols.push_back({*unknown_, unknown.bytes, 0, 0});
  unknown = {};
}

void Bpe::push_candidate(int32_t left, Work& work) const {
  const Symbol& symbol = work.symbols[static_cast<size_t>(left)];
  if (symbol.next < 0) return;
  const Merge* merge = merges_.find(symbol.id, work.symbols[static_cast<size_t>(symbol.next)].id);
  if (merge == nullptr) return;
  work.heap.push_back({*merge, left});
  std::push_heap(work.heap.begin(), work.heap.end());
}

void Bpe::merge_all(Work& work) const {
  std::vector<Symbol>& symbols = work.symbols;
  const auto count = static_cast<int32_t>(symbols.size());
  for (int32_t i = 0; i < count; ++i) {
    symbols[static_cast<size_t>(i)].previous = i - 1;
    symbols[static_cast<size_t>(i)].next = i + 1 < count ? i + 1 : -1;
  }
  work.heap.clear();
  for (int32_t i = 0; i + 1 < count; ++i) push_candidate(i, work);
  while (!work.heap.empty()) {
    std::pop_heap(work.heap.begin(), work.heap.end());
    const Candidate candidate = work.heap.back();
    work.heap.pop_back();
    ++work.steps;
    Symbol& left = symbols[static_cast<size_t>(candidate.position)];
    if (left.bytes == 0 || left.next < 0) continue;
    Symbol& right = symbols[static_cast<size_t>(left.next)];
    // Either symbol may have become another one since the candidate was found.
    const Merge* merge = merges_.find(left.id, right.id);
    if (merge == nullptr || merge->id != candidate.merge.id) continue;
    left.id = candidate.merge.id;
    left.bytes += right.bytes;
    left.next = right.next;
    right.bytes = 0;
    if (left.next >= 0) symbols[static_cast<size_t>(left.next)].previous = candidate.position;
    if (left.previous >= 0) push_candidate(left.previous, work);
    push_candidate(candidate.position, work);
  }
}

std::unique_ptr<Model> make_bpe(const Json& node, const Limits& limits) { return std::make_unique<Bpe>(node, limits); }

std::unique_ptr<Model> make_bpe(BpeParts parts) { return std::make_unique<Bpe>(std::move(parts)); }

}  // namespace braid::text
