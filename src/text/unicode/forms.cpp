#include "text/unicode/forms.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <optional>

#include "text/unicode/utf8.h"

namespace braid::unicode {
namespace {

int combining_class(char32_t c) {
  return c < 0x300 ? 0 : utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

struct Mark {
  Change change;
  int combining_class;
};

/// Appends the full decomposition of `c`: its first character replaces it, the others are inserted.
void decompose(char32_t c, utf8proc_option_t options, std::vector<Mark>& out) {
  std::array<utf8proc_int32_t, 32> parts;  // the longest decomposition has 18 code points (U+FDFA)
  int boundary = 0;
  const auto count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(), parts.size(), options, &boundary);
  if (count <= 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) {
    out.push_back({{c, 0}, combining_class(c)});
    return;
  }
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    const auto part = static_cast<char32_t>(parts[static_cast<size_t>(i)]);
    out.push_back({{part, i > 0}, combining_class(part)});
  }
}

/// The primary composite of two characters, composition exclusions respected.
std::optional<char32_t> compose(char32_t first, char32_t second) {
  if (second < 0x300) return std::nullopt;  // no composite ends in a character below the combining marks
  std::array<utf8proc_int32_t, 3> pair{static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second), 0};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair.data(), 2, options) != 1) return std::nullopt;
  return static_cast<char32_t>(pair[0]);
}

/// Marks in the canonical order: by combining class between starters, else as they stood.
void order_canonically(std::vector<Mark>& marks) {
  auto by_class = [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; };
  for (auto begin = marks.begin(); begin != marks.end();) {
    const auto end = std::find_if(begin + 1, marks.end(), [](const Mark& m) { return m.combining_class == 0; });
    std::stable_sort(begin->combining_class == 0 ? begin + 1 : begin, end, by_class);
    begin = end;
  }
}

/// The composition algorithm (UAX 15, section 1.3): each mark joins the last starter unless one of its class, or of a
/// higher one, stands between.
std::vector<Change> recompose(const std::vector<Mark>& marks) {
  std::vector<Change> out;
  out.reserve(marks.size());
  std::optional<size_t> starter;  // index in `out`
  int last_class = 0;             // of the last mark that was kept after the starter; 0: none was
  for (const Mark& mark : marks) {
    if (starter && (last_class == 0 || last_class < mark.combining_class)) {
      if (const auto composite = compose(out[*starter].code_point, mark.change.code_point)) {
        out[*starter] = {*composite, out[*starter].change + mark.change.change - 1};
        continue;
      }
    }
    if (mark.combining_class == 0) {
      starter = out.size();
      last_class = 0;
    } else if (starter) {
      last_class = mark.combining_class;
    }
    out.push_back(mark.change);
  }
  return out;
}

}  // namespace

bool surely_normalized(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::decode(text, at);
    at += c.bytes;
    if (c.code_point < 0x80) continue;
    if (c.code_point >= 0xAC00 && c.code_point < 0xD7A4) return false;  // Hangul decomposes by rule
    const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(c.code_point));
    if (property->decomp_seqindex != UINT16_MAX || property->comb_index != UINT16_MAX || property->combining_class != 0)
      return false;
    if (c.code_point >= 0x1100 && c.code_point < 0x1200) return false;  // Hangul composes by rule
  }
  return true;
}

std::vector<Change> normalize(std::string_view text, Form form) {
  const bool compatible = form == Form::nfkc || form == Form::nfkd;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0));
  std::vector<Mark> marks;
  marks.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::decode(text, at);
    at += c.bytes;
    if (c.code_point < 0x80)
      marks.push_back({{c.code_point, 0}, 0});
    else
      decompose(c.code_point, options, marks);
  }
  order_canonically(marks);
  if (form == Form::nfc || form == Form::nfkc) return recompose(marks);
  std::vector<Change> out;
  out.reserve(marks.size());
  for (const Mark& mark : marks) out.push_back(mark.change);
  return out;
}

}  // namespace braid::unicode
