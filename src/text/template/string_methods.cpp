// The methods of str.

#include <algorithm>

#include "text/template/evaluator.h"
#include "text/template/format.h"
#include "text/template/protocol.h"
#include "text/template/strings.h"
#include "text/template/tables.h"
#include "text/unicode/utf8.h"

namespace braid::jinja {
namespace {

const Text& self(const Bound& a) { return a[0].text(); }

/// A result that is safe HTML where the string is.
Value made(Evaluator& e, const Bound& a, Text text) { return e.runtime().string(std::move(text), a[0].is_markup()); }

/// An argument that becomes part of the result.
Text part(const Bound& a, size_t i, std::string_view what) {
  const Text& text = need_text(a[i], what);
  return a[0].is_markup() && !a[i].is_markup() ? escape(text) : text;
}

std::optional<std::string_view> text_or_none(const Bound& a, size_t i, std::string_view what) {
  if (a.is_none_or_absent(i)) return std::nullopt;
  return need_text(a[i], what).view();
}

Value texts(Evaluator& e, const Bound& a, std::vector<Text> parts) {
  std::vector<Value> values;
  for (Text& text : parts) values.push_back(made(e, a, std::move(text)));
  return e.runtime().list(std::move(values));
}

template <Case kCase>
Value change_case(Evaluator& e, const Bound& a) {
  e.runtime().spend(self(a).size() / 8);
  return made(e, a, with_case(self(a), kCase));
}

template <Side kSide>
Value strip_side(Evaluator& e, const Bound& a) {
  return made(e, a, strip(self(a), kSide, text_or_none(a, 1, "strip arg")));
}

template <bool kFromRight>
Value split_text(Evaluator& e, const Bound& a) {
  const auto separator = text_or_none(a, 1, "must be str or None");
  if (separator && separator->empty()) throw Fault("empty separator");
  const int64_t most = a.has(2) ? need_index(a[2], "maxsplit") : -1;
  size_t places = separator ? 0 : self(a).size() / 2;
  if (separator)
    for (size_t at = 0; (at = self(a).view().find(*separator, at)) != std::string_view::npos; at += separator->size())
      ++places;
  e.runtime().spend(self(a).size() / 8 + 8 * places);  // before so many parts are made
  return texts(e, a, split(self(a), separator, most < 0 ? -1 : most, kFromRight));
}

Value splitlines(Evaluator& e, const Bound& a) { return texts(e, a, split_lines(self(a), a.truth_or(1, false))); }

/// The part of the string between characters a[2] and a[3], as bytes; nothing when it begins behind the end.
std::optional<std::pair<size_t, size_t>> window(const Bound& a) {
  const auto count = static_cast<int64_t>(utf8::count(self(a).view()));
  const auto bound = [&](size_t i, int64_t otherwise) {
    if (a.is_none_or_absent(i)) return otherwise;
    const int64_t at = need_index(a[i], "slice indices");
    return at < 0 ? std::max<int64_t>(at + count, 0) : at;
  };
  const int64_t start = bound(2, 0), stop = std::min(bound(3, count), count);
  if (start > count || start > stop) return std::nullopt;
  const auto byte_of = [&](int64_t character) {
    size_t at = 0;
    for (; character > 0; --character) at += utf8::length(self(a).view()[at]);
    return at;
  };
  const size_t begin = byte_of(start);
  return std::pair(begin, stop == count ? self(a).size() : byte_of(stop));
}

template <bool kEnd>
Value begins_or_ends(Evaluator&, const Bound& a) {
  const auto range = window(a);
  const auto matches = [&](const Value& v) {
    const std::string_view affix = need_text(v, kEnd ? "endswith first arg" : "startswith first arg").view();
    if (!range) return false;
    const std::string_view text = self(a).view().substr(range->first, range->second - range->first);
    return kEnd ? text.ends_with(affix) : text.starts_with(affix);
  };
  if (a[1].is(Kind::tuple)) return Value::boolean(std::any_of(a[1].items().begin(), a[1].items().end(), matches));
  return Value::boolean(matches(a[1]));
}

/// Character of the first (or last) occurrence; -1: none.
Integer found_at(Evaluator& e, const Bound& a, bool last) {
  const std::string_view what = need_text(a[1], "must be str").view();
  e.runtime().spend(self(a).size() / 8);
  const auto range = window(a);
  if (!range) return -1;
  const std::string_view text = self(a).view().substr(range->first, range->second - range->first);
  const size_t at = last ? text.rfind(what) : text.find(what);
  if (at == std::string_view::npos) return -1;
  return static_cast<Integer>(utf8::count(self(a).view().substr(0, range->first + at)));
}

template <bool kLast>
Value find(Evaluator& e, const Bound& a) {
  return Value::integer(found_at(e, a, kLast));
}

template <bool kLast>
Value index(Evaluator& e, const Bound& a) {
  const Integer at = found_at(e, a, kLast);
  if (at < 0) throw Fault("substring not found");
  return Value::integer(at);
}

Value count(Evaluator& e, const Bound& a) {
  const std::string_view what = need_text(a[1], "must be str").view();
  e.runtime().spend(self(a).size() / 8);
  const auto range = window(a);
  if (!range) return Value::integer(0);
  const std::string_view text = self(a).view().substr(range->first, range->second - range->first);
  if (what.empty()) return Value::integer(static_cast<Integer>(utf8::count(text)) + 1);
  Integer times = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++times;
  return Value::integer(times);
}

Value replace_text(Evaluator& e, const Bound& a) {
  const Text to = part(a, 2, "replace() argument 2 must be str");
  return replaced(e.runtime(), a[0], need_text(a[1], "replace() argument 1 must be str").view(), to,
                  a.has(3) ? need_index(a[3], "count") : -1);
}

Value join(Evaluator& e, const Bound& a) {
  Text all;
  const std::vector<Value> items = elements(e.runtime(), a[1]);
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].is_undefined() || !items[i].is_string())
      throw Fault("sequence item " + std::to_string(i) + ": expected str instance, " +
                  std::string(type_name(items[i])) + " found");
    if (i > 0) all.append(self(a));
    all.append(a[0].is_markup() && !items[i].is_markup() ? escape(items[i].text()) : items[i].text());
    e.runtime().check_size(all.size());
  }
  return made(e, a, std::move(all));
}

Value format(Evaluator& e, const Bound& a) {
  Arguments rest{.positional = {a.all.positional.begin() + 1, a.all.positional.end()}, .keywords = a.all.keywords};
  return made(e, a, format_braces(e, a[0], rest));
}

Value format_map(Evaluator& e, const Bound& a) {
  if (!a[1].is(Kind::dict)) throw Fault("format_map() takes a mapping");
  Arguments values;
  for (const auto& [key, value] : a[1].as<Dict>().entries)
    if (key.is_string()) values.keywords.emplace_back(key.text().bytes(), value);
  return made(e, a, format_braces(e, a[0], values));
}

/// A character to fill with.
Text filler(const Bound& a) {
  if (!a.has(2)) return {" ", Origin::literal};
  const Text& fill = need_text(a[2], "the fill character");
  if (utf8::count(fill.view()) != 1) throw Fault("The fill character must be exactly one character long");
  return a[0].is_markup() ? escape(fill) : fill;
}

Value padded(Evaluator& e, const Bound& a, int64_t left, int64_t right) {
  const Text fill = filler(a);
  e.runtime().check_size(static_cast<uint64_t>(std::max<int64_t>(left, 0) + std::max<int64_t>(right, 0)) * fill.size());
  Text all;
  for (; left > 0; --left) all.append(fill);
  all.append(self(a));
  for (; right > 0; --right) all.append(fill);
  return made(e, a, std::move(all));
}

int64_t missing_width(const Bound& a) {
  const int64_t width = std::min<int64_t>(need_index(a[1], "width"), int64_t{1} << 40);
  return std::max<int64_t>(width - static_cast<int64_t>(utf8::count(self(a).view())), 0);
}

Value ljust(Evaluator& e, const Bound& a) { return padded(e, a, 0, missing_width(a)); }
Value rjust(Evaluator& e, const Bound& a) { return padded(e, a, missing_width(a), 0); }
Value center(Evaluator& e, const Bound& a) {
  const int64_t missing = missing_width(a), width = missing + static_cast<int64_t>(utf8::count(self(a).view()));
  const int64_t left = missing / 2 + (missing & width & 1);  // as CPython rounds
  return padded(e, a, left, missing - left);
}

Value zfill(Evaluator& e, const Bound& a) {
  const int64_t missing = missing_width(a);
  e.runtime().check_size(static_cast<uint64_t>(missing));
  const bool sign = self(a).view().starts_with('-') || self(a).view().starts_with('+');
  Text all = self(a).slice(0, sign ? 1 : 0);
  all.append(std::string(static_cast<size_t>(missing), '0'), Origin::literal);
  all.append(self(a), sign ? 1 : 0, self(a).size());
  return made(e, a, std::move(all));
}

Value removeprefix(Evaluator& e, const Bound& a) {
  const std::string_view prefix = need_text(a[1], "removeprefix() argument").view();
  return made(e, a, self(a).slice(self(a).view().starts_with(prefix) ? prefix.size() : 0, self(a).size()));
}

Value removesuffix(Evaluator& e, const Bound& a) {
  const std::string_view suffix = need_text(a[1], "removesuffix() argument").view();
  return made(e, a, self(a).slice(0, self(a).size() - (self(a).view().ends_with(suffix) ? suffix.size() : 0)));
}

template <bool kLast>
Value partition(Evaluator& e, const Bound& a) {
  const std::string_view by = need_text(a[1], "must be str").view(), text = self(a).view();
  if (by.empty()) throw Fault("empty separator");
  const size_t at = kLast ? text.rfind(by) : text.find(by);
  const bool found = at != std::string_view::npos;
  const size_t left = found ? at : kLast ? 0 : text.size(), right = found ? at + by.size() : left;
  return e.runtime().tuple({made(e, a, self(a).slice(0, left)), made(e, a, self(a).slice(left, right)),
                            made(e, a, self(a).slice(right, text.size()))});
}

Value expandtabs(Evaluator& e, const Bound& a) {
  const int64_t size = std::min<int64_t>(a.has(1) ? need_index(a[1], "tabsize") : 8, 1 << 20);
  Text out;
  int64_t column = 0;
  const std::string_view view = self(a).view();
  for (size_t at = 0; at < view.size();) {
    const size_t end = at + utf8::length(view[at]);
    if (view[at] == '\t') {
      const int64_t spaces = size > 0 ? size - column % size : 0;
      out.append(std::string(static_cast<size_t>(spaces), ' '), self(a).slice(at, end).origin());
      e.runtime().check_size(out.size());
      column += spaces;
    } else {
      out.append(self(a), at, end);
      column = view[at] == '\n' || view[at] == '\r' ? 0 : column + 1;
    }
    at = end;
  }
  return made(e, a, std::move(out));
}

constexpr std::array<std::string_view, 12> kClasses{"isalpha", "isdecimal",    "isdigit", "isnumeric",
                                                    "isalnum", "isspace",      "islower", "isupper",
                                                    "istitle", "isidentifier", "isascii", "isprintable"};
template <size_t kClass>
Value is_class(Evaluator&, const Bound& a) {
  return Value::boolean(is_of_class(self(a).view(), kClasses[kClass]));
}

constexpr Callable kMethods[] = {
    {"lower", change_case<Case::lower>, {"self"}, 1},
    {"upper", change_case<Case::upper>, {"self"}, 1},
    {"capitalize", change_case<Case::capitalized>, {"self"}, 1},
    {"title", change_case<Case::title>, {"self"}, 1},
    {"swapcase", change_case<Case::swapped>, {"self"}, 1},
    {"casefold", change_case<Case::folded>, {"self"}, 1},
    {"strip", strip_side<Side::both>, {"self", "chars"}, 1},
    {"lstrip", strip_side<Side::left>, {"self", "chars"}, 1},
    {"rstrip", strip_side<Side::right>, {"self", "chars"}, 1},
    {"split", split_text<false>, {"self", "sep", "maxsplit"}, 1},
    {"rsplit", split_text<true>, {"self", "sep", "maxsplit"}, 1},
    {"splitlines", splitlines, {"self", "keepends"}, 1},
    {"startswith", begins_or_ends<false>, {"self", "prefix", "start", "end"}, 2},
    {"endswith", begins_or_ends<true>, {"self", "suffix", "start", "end"}, 2},
    {"find", find<false>, {"self", "sub", "start", "end"}, 2},
    {"rfind", find<true>, {"self", "sub", "start", "end"}, 2},
    {"index", index<false>, {"self", "sub", "start", "end"}, 2},
    {"rindex", index<true>, {"self", "sub", "start", "end"}, 2},
    {"count", count, {"self", "sub", "start", "end"}, 2},
    {"replace", replace_text, {"self", "old", "new", "count"}, 3},
    {"join", join, {"self", "iterable"}, 2},
    {"format", format, {"self"}, 1, true},
    {"format_map", format_map, {"self", "mapping"}, 2},
    {"ljust", ljust, {"self", "width", "fillchar"}, 2},
    {"rjust", rjust, {"self", "width", "fillchar"}, 2},
    {"center", center, {"self", "width", "fillchar"}, 2},
    {"zfill", zfill, {"self", "width"}, 2},
    {"removeprefix", removeprefix, {"self", "prefix"}, 2},
    {"removesuffix", removesuffix, {"self", "suffix"}, 2},
    {"partition", partition<false>, {"self", "sep"}, 2},
    {"rpartition", partition<true>, {"self", "sep"}, 2},
    {"expandtabs", expandtabs, {"self", "tabsize"}, 1},
    {"isalpha", is_class<0>, {"self"}, 1},
    {"isdecimal", is_class<1>, {"self"}, 1},
    {"isdigit", is_class<2>, {"self"}, 1},
    {"isnumeric", is_class<3>, {"self"}, 1},
    {"isalnum", is_class<4>, {"self"}, 1},
    {"isspace", is_class<5>, {"self"}, 1},
    {"islower", is_class<6>, {"self"}, 1},
    {"isupper", is_class<7>, {"self"}, 1},
    {"istitle", is_class<8>, {"self"}, 1},
    {"isidentifier", is_class<9>, {"self"}, 1},
    {"isascii", is_class<10>, {"self"}, 1},
    {"isprintable", is_class<11>, {"self"}, 1},
};

}  // namespace

std::span<const Callable> string_methods() { return kMethods; }

Value replaced(Runtime& runtime, const Value& v, std::string_view from, const Text& to, int64_t most) {
  // Bounded before it is made: each of the places found may grow.
  const uint64_t places = (v.text().size() / std::max<size_t>(from.size(), 1)) + 1;
  if (to.size() > from.size() && places * to.size() > runtime.limits().max_text_bytes) {
    uint64_t found = 0;
    if (from.empty())
      found = places;
    else
      for (size_t at = 0; (at = v.view().find(from, at)) != std::string_view::npos; at += from.size()) ++found;
    runtime.check_size(found * to.size());
  }
  runtime.spend(v.text().size() / 8);
  return runtime.string(replace(v.text(), from, to, most < 0 ? -1 : most), v.is_markup());
}

}  // namespace braid::jinja
