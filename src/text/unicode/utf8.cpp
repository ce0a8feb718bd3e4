#include "text/unicode/utf8.h"

#include <cstring>

namespace braid::utf8 {
namespace {

struct Sequence {
  uint32_t bytes;  ///< length of the valid sequence, or of the maximal broken part
  bool valid;
};

/// Table 3-7 of the Unicode standard: which second bytes a lead byte allows.
Sequence sequence_at(std::string_view bytes, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[at + i]); };
  const size_t left = bytes.size() - at;
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const uint32_t wanted = length(static_cast<char>(lead));
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (left < 2 || byte(1) < low || byte(1) > high) return {1, false};
  for (uint32_t i = 2; i < wanted; ++i) {
    if (i >= left || !is_continuation(bytes[at + i])) return {i, false};
  }
  return {wanted, true};
}

struct Bytes {
  char data[4];
  uint32_t count;
};

Bytes encode(char32_t c) {
  const auto lead = [](char32_t mark, char32_t bits) { return static_cast<char>(mark | bits); };
  const auto rest = [&](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {{static_cast<char>(c)}, 1};
  if (c < 0x800) return {{lead(0xC0, c >> 6), rest(0)}, 2};
  if (c < 0x10000) return {{lead(0xE0, c >> 12), rest(6), rest(0)}, 3};
  return {{lead(0xF0, c >> 18), rest(12), rest(6), rest(0)}, 4};
}

/// Length of the run of ASCII at `at`, eight bytes at a time.
size_t ascii_run(std::string_view bytes, size_t at) {
  size_t end = at;
  for (uint64_t word; end + sizeof word <= bytes.size(); end += sizeof word) {
    std::memcpy(&word, bytes.data() + end, sizeof word);
    if ((word & 0x8080808080808080u) != 0) break;
  }
  while (end < bytes.size() && static_cast<uint8_t>(bytes[end]) < 0x80) ++end;
  return end - at;
}

}  // namespace

void append(std::string& text, char32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
    return;
  }
  const Bytes bytes = encode(c);
  text.append(bytes.data, bytes.count);
}

bool overwrite(std::string& text, size_t at, uint32_t bytes, char32_t c) {
  const Bytes fresh = encode(c);
  if (fresh.count != bytes) return false;
  std::memcpy(text.data() + at, fresh.data, bytes);
  return true;
}

size_t count(std::string_view text) {
  size_t characters = 0;
  for (const char byte : text) characters += !is_continuation(byte);
  return characters;
}

std::optional<size_t> first_invalid(std::string_view bytes) {
  for (size_t at = ascii_run(bytes, 0); at < bytes.size(); at += ascii_run(bytes, at)) {
    const Sequence sequence = sequence_at(bytes, at);
    if (!sequence.valid) return at;
    at += sequence.bytes;
  }
  return std::nullopt;
}

std::string lossy(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    if (const size_t plain = ascii_run(bytes, at); plain > 0) {
      text.append(bytes, at, plain);
      at += plain;
      continue;
    }
    const Sequence sequence = sequence_at(bytes, at);
    text.append(sequence.valid ? bytes.substr(at, sequence.bytes) : kReplacement);
    at += sequence.bytes;
  }
  return text;
}

}  // namespace braid::utf8
