#include "text/added_tokens.h"

#include <algorithm>

#include "text/base/kinds.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

constexpr size_t kLongest = 1024;  // bytes: a search from each byte of a text may read that far

size_t spaces_before(std::string_view text, size_t end) {
  while (end > 0) {
    const size_t last = utf8::previous(text, end);
    if (!unicode::is_space(utf8::decode(text, last).code_point)) break;
    end = last;
  }
  return end;
}

size_t spaces_after(std::string_view text, size_t at) {
  while (at < text.size()) {
    const utf8::Character c = utf8::decode(text, at);
    if (!unicode::is_space(c.code_point)) break;
    at += c.bytes;
  }
  return at;
}

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && unicode::is_word(utf8::decode(text, utf8::previous(text, begin)).code_point)) return false;
  return end >= text.size() || !unicode::is_word(utf8::decode(text, end).code_point);
}

}  // namespace

bool SpecialRule::allows(const Span& token) const {
  if (!read) return false;
  const auto ends_before = [](const Span& span, uint32_t at) { return span.end <= at; };
  const auto next = std::lower_bound(plain.begin(), plain.end(), token.begin, ends_before);
  return next == plain.end() || next->begin >= token.end;
}

AddedTokens AddedTokens::read(const Json& list, const Vocabulary& vocabulary, const Normalizer* normalizer,
                              const Limits& limits) {
  if (!list.is_array()) list.fail("the added tokens are no list");
  if (list.size() > limits.max_vocabulary)
    list.fail(std::to_string(list.size()) + " added tokens are more than the limit of " +
              std::to_string(limits.max_vocabulary));
  AddedTokens added;
  for (size_t i = 0; i < list.size(); ++i) {
    const Json entry = list[i];
    const Json id = entry.at("id"), content = entry.at("content");
    const bool special = flag(entry, "special", false);
    AddedToken token{
        .content = std::string(content.as_string()),
        .id = read_token_id(id, limits),
        .single_word = flag(entry, "single_word", false),
        .lstrip = flag(entry, "lstrip", false),
        .rstrip = flag(entry, "rstrip", false),
        .normalized = flag(entry, "normalized", !special),
        .special = special,
        .spelling = {},
    };
    if (token.content.empty()) continue;
    if (token.content.size() > kLongest)
      content.fail("an added token of " + std::to_string(token.content.size()) + " bytes is too long");
    const auto known = vocabulary.find(token.content);
    if (known && *known != token.id)
      id.fail("the added token \"" + token.content + "\" has the id " + std::to_string(*known) + " in the vocabulary");
    const auto other = vocabulary.token(token.id);
    if (other && *other != token.content)
      id.fail("token id " + std::to_string(token.id) + " is taken by \"" + std::string(*other) + "\" already");
    const AddedToken* same_id = added.find(token.id);
    if (same_id != nullptr && same_id->content != token.content)
      id.fail("token id " + std::to_string(token.id) + " is taken by \"" + same_id->content + "\" already");
    const AddedToken* same = added.find(token.content);
    if (same != nullptr && same->id != token.id)
      id.fail("the added token \"" + token.content + "\" has the id " + std::to_string(same->id) + " as well");
    added.add(std::move(token), normalizer);
  }
  return added;
}

void AddedTokens::add(AddedToken token, const Normalizer* normalizer) {
  token.spelling = token.content;
  if (token.normalized && normalizer != nullptr) {
    Arena arena;
    token.spelling = normalizer->apply({.text = token.content}, arena).text;
  }
  const auto [known, is_new] = by_content_.try_emplace(token.content, tokens_.size());
  const size_t index = known->second;
  by_id_[token.id] = index;
  if (!token.spelling.empty()) {
    Finder& finder = token.normalized ? normalized_ : plain_;
    finder.trie.insert(token.spelling, static_cast<int32_t>(index));
    finder.first.set(static_cast<uint8_t>(token.spelling[0]));
    finder.any = true;
  }
  if (is_new)
    tokens_.push_back(std::move(token));
  else
    tokens_[index] = std::move(token);
}

const AddedToken* AddedTokens::find(std::string_view content) const {
  const auto found = by_content_.find(std::string(content));
  return found == by_content_.end() ? nullptr : &tokens_[found->second];
}

const AddedToken* AddedTokens::find(int32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

AddedTokens::Found AddedTokens::longest_at(const Finder& finder, std::string_view text, size_t at) const {
  Found found;
  uint32_t node = 0;
  for (size_t end = at; end < text.size();) {
    node = finder.trie.next(node, static_cast<uint8_t>(text[end++]));
    if (node == Trie::kNone) break;
    if (const int32_t index = finder.trie.value(node); index >= 0) found = {&tokens_[static_cast<size_t>(index)], end};
  }
  return found;
}

template <class Emit>
void AddedTokens::cut(const Finder& finder, const Piece& piece, const SpecialRule& rule, Emit emit) const {
  const std::string_view text = piece.text;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    const Found found = finder.first.test(static_cast<uint8_t>(text[at])) ? longest_at(finder, text, at) : Found{};
    if (found.token == nullptr) {
      ++at;
      continue;
    }
    const AddedToken& token = *found.token;
    size_t begin = at, end = found.end;
    at = end;
    if (token.special && !rule.allows(piece.source(begin, end))) {
      if (rule.read) at = begin + 1;  // the next one may begin within it
      continue;
    }
    if (token.single_word && !stands_alone(text, begin, end)) continue;
    if (token.lstrip) begin = std::max(spaces_before(text, begin), done);
    if (token.rstrip) end = spaces_after(text, end);
    if (done < begin) emit(piece.slice(done, begin), -1);
    emit(piece.slice(begin, end), token.id);
    done = end;
  }
  if (done < text.size()) emit(piece.slice(done, text.size()), -1);
}

void AddedTokens::extract(PreTokenized& text, bool normalized, const SpecialRule& rule) const {
  const Finder& finder = normalized ? normalized_ : plain_;
  if (!finder.any) return;
  std::vector<PreTokenized::Item> items;
  for (const PreTokenized::Item& item : text.items) {
    if (item.token >= 0)
      items.push_back(item);
    else
      cut(finder, item.piece, rule, [&](const Piece& piece, int32_t id) { items.push_back({piece, id}); });
  }
  text.items = std::move(items);
}

}  // namespace braid::text
