#include "text/template/value.h"

#include <algorithm>

#include "text/template/fault.h"
#include "text/template/protocol.h"

namespace braid::jinja {

std::string to_decimal(Integer value) {
  if (value == 0) return "0";
  const bool negative = value < 0;
  std::string digits;
  for (; value != 0; value /= 10) {
    const auto digit = static_cast<int>(value % 10);
    digits += static_cast<char>('0' + (digit < 0 ? -digit : digit));
  }
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::optional<size_t> Dict::index_of(const std::string& hash) const {
  if (entries.size() < kIndexed) {
    for (size_t i = 0; i < entries.size(); ++i)
      if (hash_of(entries[i].first) == hash) return i;
    return std::nullopt;
  }
  if (index_.size() != entries.size())
    for (size_t i = index_.size(); i < entries.size(); ++i) index_.emplace(hash_of(entries[i].first), i);
  const auto found = index_.find(hash);
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

const Value* Dict::find(const Value& key) const {
  if (key.is_string()) return find(key.view());
  const auto at = index_of(hash_of(key));
  return at ? &entries[*at].second : nullptr;
}

const Value* Dict::find(std::string_view key) const {
  if (entries.size() < kIndexed) {
    for (const auto& [known, value] : entries)
      if (known.is_string() && known.view() == key) return &value;
    return nullptr;
  }
  const auto at = index_of("s" + std::string(key));
  return at ? &entries[*at].second : nullptr;
}

void Dict::set(const Value& key, Value value) {
  if (const auto at = index_of(hash_of(key)))
    entries[*at].second = std::move(value);
  else
    entries.emplace_back(key, std::move(value));
}

void Iterator::start() {
  if (!produce) return;
  const auto run = std::move(produce);
  produce = nullptr;
  items = run();
}

std::vector<Value> Iterator::take() {
  start();
  std::vector<Value> rest(items.begin() + static_cast<ptrdiff_t>(at), items.end());
  at = items.size();
  return rest;
}

std::optional<Value> Iterator::next() {
  start();
  return at < items.size() ? std::optional(items[at++]) : std::nullopt;
}

const Value* Namespace::find(std::string_view name) const {
  for (const auto& [known, value] : attributes)
    if (known == name) return &value;
  return nullptr;
}

void Namespace::set(std::string_view name, Value value) {
  if (name.starts_with('_'))
    throw Fault("Chat templates cannot store underscore-prefixed attributes on a namespace, but got " + repr_of(name));
  for (auto& [known, old] : attributes) {
    if (known != name) continue;
    old = std::move(value);
    return;
  }
  attributes.emplace_back(name, std::move(value));
}

}  // namespace braid::jinja
