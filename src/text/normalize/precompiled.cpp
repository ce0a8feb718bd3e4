// Precompiled: SentencePiece's normalisation rules, a double-array trie (Darts) from characters to their replacements.

#include <utf8proc.h>

#include <cstring>

#include "text/normalize/normalizer.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

std::string decode_base64(const Json& node) {
  std::string bytes;
  uint32_t buffer = 0;
  int bits = 0;
  const std::string_view text = node.as_string();
  for (size_t i = 0; i < text.size() && text[i] != '='; ++i) {
    const char c = text[i];
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) node.fail("character " + std::to_string(i) + " is not Base64");
    buffer = buffer << 6 | static_cast<uint32_t>(value);
    if ((bits += 6) >= 8) bytes += static_cast<char>(buffer >> (bits -= 8) & 0xFF);
  }
  return bytes;
}

class Precompiled final : public Normalizer {
 public:
  Precompiled(std::vector<uint32_t> trie, std::string replacements)
      : trie_(std::move(trie)), replacements_(std::move(replacements)) {}

  /// Each grapheme of fewer than six bytes is looked up whole, then by its characters (as SentencePiece's port in
  /// tokenizers does).
  Piece apply(const Piece& piece, Arena& arena) const override {
    std::vector<unicode::Change> changes;
    bool modified = false;
    for (size_t at = 0; at < piece.text.size();) {
      const size_t end = grapheme_end(piece.text, at);
      const std::string_view grapheme = piece.text.substr(at, end - at);
      at = end;
      if (grapheme.size() < 6) {
        if (const auto replacement = find(grapheme)) {
          modified = true;
          substitute(grapheme, *replacement, changes);
          continue;
        }
      }
      for (size_t i = 0; i < grapheme.size();) {
        const utf8::Character c = utf8::decode(grapheme, i);
        const std::string_view part = grapheme.substr(i, c.bytes);
        i += c.bytes;
        const auto replacement = find(part);
        modified |= replacement.has_value();
        if (replacement)
          substitute(part, *replacement, changes);
        else
          changes.push_back({c.code_point, 0});
      }
    }
    return modified ? rewrite(piece, changes, 0, arena) : piece;
  }

 private:
  static size_t grapheme_end(std::string_view text, size_t at) {
    utf8proc_int32_t state = 0;
    utf8::Character c = utf8::decode(text, at);
    for (at += c.bytes; at < text.size();) {
      const utf8::Character next = utf8::decode(text, at);
      if (c.code_point < 0x80 && next.code_point < 0x80 && next.code_point != '\n') break;  // nothing joins these
      if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(c.code_point),
                                           static_cast<utf8proc_int32_t>(next.code_point), &state))
        break;
      c = next;
      at += c.bytes;
    }
    return at;
  }

  /// The replacement of the shortest prefix of `key` that has one.
  std::optional<std::string_view> find(std::string_view key) const {
    const auto offset = [](uint32_t unit) { return static_cast<size_t>(unit >> 10) << ((unit & (1u << 9)) >> 6); };
    size_t at = offset(trie_[0]);
    for (const char c : key) {
      const auto byte = static_cast<uint8_t>(c);
      if (byte == 0) break;
      at ^= byte;
      if (at >= trie_.size()) break;
      const uint32_t unit = trie_[at];
      if ((unit & (1u << 31 | 0xFF)) != byte) break;
      at ^= offset(unit);
      if (at >= trie_.size()) break;
      if ((unit >> 8 & 1) != 0) {
        const uint32_t begin = trie_[at] & 0x7FFFFFFF;
        if (begin >= replacements_.size() || utf8::is_continuation(replacements_[begin])) break;
        return std::string_view(replacements_.c_str() + begin);
      }
    }
    return std::nullopt;
  }

  /// `fresh` in place of `old`: characters beyond the old ones are inserted, missing ones swallowed by the last.
  static void substitute(std::string_view old, std::string_view fresh, std::vector<unicode::Change>& changes) {
    const size_t old_count = utf8::count(old), count = utf8::count(fresh);
    size_t i = 0;
    for (size_t at = 0; at < fresh.size(); ++i) {
      const utf8::Character c = utf8::decode(fresh, at);
      at += c.bytes;
      changes.push_back({c.code_point, i >= old_count});
    }
    if (count < old_count && !changes.empty()) changes.back().change -= static_cast<int32_t>(old_count - count);
  }

  std::vector<uint32_t> trie_;
  std::string replacements_;  // ends in NUL, as each replacement does
};

}  // namespace

std::unique_ptr<Normalizer> make_precompiled(const Json& node, const Limits&) {
  const Json map = node.at("precompiled_charsmap");
  const std::string bytes = decode_base64(map);
  uint32_t trie_bytes = 0;
  if (bytes.size() < sizeof trie_bytes) map.fail("the character map is cut off");
  std::memcpy(&trie_bytes, bytes.data(), sizeof trie_bytes);
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > bytes.size() - sizeof trie_bytes) {
    map.fail("the character map's trie of " + std::to_string(trie_bytes) + " bytes does not fit into it");
  }
  std::vector<uint32_t> trie(trie_bytes / 4);
  std::memcpy(trie.data(), bytes.data() + sizeof trie_bytes, trie_bytes);
  std::string replacements = bytes.substr(sizeof trie_bytes + trie_bytes);
  if (utf8::first_invalid(replacements)) map.fail("the character map's replacements are not UTF-8");
  return std::make_unique<Precompiled>(std::move(trie), std::move(replacements));
}

}  // namespace braid::text
