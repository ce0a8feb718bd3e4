// Filters on lists and what can be iterated.

#include <algorithm>
#include <set>

#include "text/template/evaluator.h"
#include "text/template/protocol.h"
#include "text/template/strings.h"
#include "text/template/tables.h"

namespace braid::jinja {
namespace {

/// "a.b.0": the way to an attribute of an element.
class Path {
 public:
  Path(Evaluator& e, const Value& attribute) {
    if (attribute.is_none()) return;
    if (!attribute.is_string()) {
      steps_.push_back(attribute);
      return;
    }
    for (Text& part : split(attribute.text(), ".", -1, false)) {
      const bool number =
          !part.empty() && part.size() < 18 &&
          std::all_of(part.view().begin(), part.view().end(), [](char c) { return c >= '0' && c <= '9'; });
      steps_.push_back(number ? Value::integer(std::stoll(part.bytes())) : e.runtime().string(std::move(part)));
    }
  }

  /// `otherwise` (may be null) stands for what is not there.
  Value follow(Evaluator& e, Value item, const Value* otherwise = nullptr) const {
    for (const Value& step : steps_) {
      item = e.subscript(item, step);
      if (otherwise != nullptr && item.is_undefined()) item = *otherwise;
    }
    return item;
  }

 private:
  std::vector<Value> steps_;
};

Value ignore_case(Evaluator& e, const Value& v, bool ignore) {
  return ignore && v.is_string() ? e.runtime().string(with_case(v.text(), Case::lower)) : v;
}

/// What elements are sorted by: one attribute, or several with commas between them.
class SortKey {
 public:
  SortKey(Evaluator& e, const Value* attribute, bool ignore) : ignore_(ignore) {
    if (attribute != nullptr && attribute->is_string())
      for (Text& part : split(attribute->text(), ",", -1, false))
        paths_.emplace_back(e, e.runtime().string(std::move(part)));
    else
      paths_.emplace_back(e, attribute != nullptr ? *attribute : Value::none());
  }

  Value of(Evaluator& e, const Value& item) const {
    std::vector<Value> keys;
    for (const Path& path : paths_) keys.push_back(ignore_case(e, path.follow(e, item), ignore_));
    return e.runtime().list(std::move(keys));
  }

 private:
  std::vector<Path> paths_;
  bool ignore_;
};

/// Python's sorted: stable, also when reversed.
std::vector<Value> sorted(Evaluator& e, std::vector<Value> items, const std::vector<Value>& keys, bool reverse) {
  std::vector<size_t> order(items.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  // A merge sort looks at nothing out of its range, whatever the comparison says (NaN).
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return reverse ? compare(e.runtime(), keys[b], keys[a]) < 0 : compare(e.runtime(), keys[a], keys[b]) < 0;
  });
  std::vector<Value> result;
  for (const size_t i : order) result.push_back(std::move(items[i]));
  return result;
}

Value sort(Evaluator& e, const Bound& a) {
  std::vector<Value> items = elements(e.runtime(), a[0]), keys;
  const SortKey key(e, a.is_none_or_absent(3) ? nullptr : &a[3], !a.truth_or(2, false));
  for (const Value& item : items) keys.push_back(key.of(e, item));
  return e.runtime().list(sorted(e, std::move(items), keys, a.truth_or(1, false)));
}

Value dictsort(Evaluator& e, const Bound& a) {
  if (a[0].is_undefined()) fail_undefined(a[0]);
  if (!a[0].is(Kind::dict)) throw Fault("'" + std::string(type_name(a[0])) + "' object has no attribute 'items'");
  const std::string_view by = a.has(2) ? need_text(a[2], "by").view() : "key";
  if (by != "key" && by != "value") throw Fault("You can only sort by either \"key\" or \"value\"");
  std::vector<Value> items, keys;
  for (const auto& [key, value] : a[0].as<Dict>().entries) {
    items.push_back(e.runtime().tuple({key, value}));
    keys.push_back(ignore_case(e, by == "key" ? key : value, !a.truth_or(1, false)));
  }
  return e.runtime().list(sorted(e, std::move(items), keys, a.truth_or(3, false)));
}

Value unique(Evaluator& e, const Bound& a) {
  const Value items = a[0];
  const bool ignore = !a.truth_or(1, false);
  const Value attribute = a.has(2) ? a[2] : Value::none();
  return e.runtime().iterator([&e, items, ignore, attribute] {
    const Path path(e, attribute);
    std::set<std::string> seen;
    std::vector<Value> kept;
    for (const Value& item : elements(e.runtime(), items))
      if (seen.insert(hash_of(ignore_case(e, path.follow(e, item), ignore))).second) kept.push_back(item);
    return kept;
  });
}

template <bool kMost>
Value extreme(Evaluator& e, const Bound& a) {
  const std::vector<Value> items = elements(e.runtime(), a[0]);
  if (items.empty()) return e.runtime().undefined("No aggregated item, sequence was empty.");
  const Path path(e, a.has(2) ? a[2] : Value::none());
  const auto key = [&](const Value& v) { return ignore_case(e, path.follow(e, v), !a.truth_or(1, false)); };
  size_t best = 0;
  Value best_key = key(items[0]);
  for (size_t i = 1; i < items.size(); ++i) {
    Value next = key(items[i]);
    const int order = compare(e.runtime(), next, best_key, kMost ? ">" : "<");
    if (kMost ? order <= 0 : order >= 0) continue;
    best = i;
    best_key = std::move(next);
  }
  return items[best];
}

Value join(Evaluator& e, const Bound& a) {
  std::vector<Value> items = elements(e.runtime(), a[0]);
  if (!a.is_none_or_absent(2)) {
    const Path path(e, a[2]);
    for (Value& item : items) item = path.follow(e, item);
  }
  const Text separator = a.has(1) ? str(e.runtime(), a[1]) : Text();
  Text all;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) all.append(separator);
    append_str(e.runtime(), all, items[i]);
    e.runtime().check_size(all.size());
  }
  return e.runtime().string(std::move(all));
}

Value first(Evaluator& e, const Bound& a) {
  if (a[0].is(Kind::iterator)) {
    const auto next = a[0].as<Iterator>().next();
    return next ? *next : e.runtime().undefined("No first item, sequence was empty.");
  }
  const std::vector<Value> items = elements(e.runtime(), a[0]);
  return items.empty() ? e.runtime().undefined("No first item, sequence was empty.") : items.front();
}

Value last(Evaluator& e, const Bound& a) {
  if (a[0].is(Kind::iterator)) throw Fault("'generator' object is not reversible");
  const std::vector<Value> items = elements(e.runtime(), a[0]);
  return items.empty() ? e.runtime().undefined("No last item, sequence was empty.") : items.back();
}

Value reverse(Evaluator& e, const Bound& a) {
  if (a[0].is_string()) {
    Text out;
    for (const Value& c : [&] {
           auto all = elements(e.runtime(), a[0]);
           std::reverse(all.begin(), all.end());
           return all;
         }())
      out.append(c.text());
    return e.runtime().string(std::move(out), a[0].is_markup());
  }
  if (!is_iterable(a[0])) throw Fault("argument must be iterable");
  std::vector<Value> items = elements(e.runtime(), a[0]);
  std::reverse(items.begin(), items.end());
  if (a[0].is(Kind::iterator)) return e.runtime().list(std::move(items));
  return e.runtime().iterator([items] { return items; });
}

Value list(Evaluator& e, const Bound& a) { return e.runtime().list(elements(e.runtime(), a[0])); }
Value length_of(Evaluator&, const Bound& a) { return Value::integer(static_cast<Integer>(length(a[0]))); }

Value items(Evaluator& e, const Bound& a) {
  const Value given = a[0];
  return e.runtime().iterator([&e, given] {
    std::vector<Value> pairs;
    if (given.is_undefined()) return pairs;
    if (!given.is(Kind::dict)) throw Fault("Can only get item pairs from a mapping.");
    for (const auto& [key, value] : given.as<Dict>().entries) pairs.push_back(e.runtime().tuple({key, value}));
    return pairs;
  });
}

Value sum(Evaluator& e, const Bound& a) {
  Value total = a.has(2) ? a[2] : Value::integer(0);
  if (total.is_string()) throw Fault("sum() can't sum strings [use ''.join(seq) instead]");
  const Path path(e, a.has(1) ? a[1] : Value::none());
  for (const Value& item : elements(e.runtime(), a[0]))
    total = apply_binary(e.runtime(), Operator::add, total, path.follow(e, item));
  return total;
}

Value batch(Evaluator& e, const Bound& a) {
  const Value given = a[0], fill = a.has(2) ? a[2] : Value::none();
  const int64_t size = need_index(a[1], "linecount");
  return e.runtime().iterator([&e, given, size, fill] {
    std::vector<Value> rows, row;
    const auto finish = [&] { rows.push_back(e.runtime().list(std::exchange(row, {}))); };
    for (const Value& item : elements(e.runtime(), given)) {
      if (static_cast<int64_t>(row.size()) == size) finish();
      row.push_back(item);
    }
    if (row.empty()) return rows;
    if (!fill.is_none() && static_cast<int64_t>(row.size()) < size) {
      e.runtime().spend(static_cast<uint64_t>(size));
      row.resize(static_cast<size_t>(size), fill);
    }
    finish();
    return rows;
  });
}

Value slice(Evaluator& e, const Bound& a) {
  const Value given = a[0], fill = a.has(2) ? a[2] : Value::none();
  const int64_t slices = need_index(a[1], "slices");
  return e.runtime().iterator([&e, given, slices, fill] {
    if (slices == 0) throw Fault("integer division or modulo by zero");
    const std::vector<Value> all = elements(e.runtime(), given);
    std::vector<Value> rows;
    if (slices < 0) return rows;
    e.runtime().spend(static_cast<uint64_t>(slices));
    const size_t each = all.size() / static_cast<size_t>(slices), with_extra = all.size() % static_cast<size_t>(slices);
    for (size_t i = 0, at = 0; i < static_cast<size_t>(slices); ++i) {
      const size_t end = at + each + (i < with_extra ? 1 : 0);
      std::vector<Value> row(all.begin() + static_cast<ptrdiff_t>(at), all.begin() + static_cast<ptrdiff_t>(end));
      if (!fill.is_none() && i >= with_extra) row.push_back(fill);
      rows.push_back(e.runtime().list(std::move(row)));
      at = end;
    }
    return rows;
  });
}

Value group(Evaluator& e, const Bound& a) {
  const Path path(e, a[1]);
  const Value* otherwise = a.is_none_or_absent(2) ? nullptr : &a[2];
  const bool ignore = !a.truth_or(3, false);
  std::vector<Value> keys, order, given = elements(e.runtime(), a[0]);
  for (size_t i = 0; i < given.size(); ++i) {
    keys.push_back(ignore_case(e, path.follow(e, given[i], otherwise), ignore));
    order.push_back(Value::integer(static_cast<Integer>(i)));
  }
  std::vector<Value> groups, members;
  Value current;
  const auto finish = [&] {
    if (members.empty()) return;
    const Value name = path.follow(e, members.front(), otherwise);
    groups.push_back(e.runtime().tuple({name, e.runtime().list(std::exchange(members, {}))}));
    groups.back().as<Sequence>().name = kGroup;
  };
  for (const Value& index : sorted(e, order, keys, false)) {
    const auto i = static_cast<size_t>(index.as_int());
    if (!members.empty() && !equal(e.runtime(), keys[i], current)) finish();
    current = keys[i];
    members.push_back(given[i]);
  }
  finish();
  return e.runtime().list(std::move(groups));
}

/// What map does with an element: look up an attribute, or call a filter.
Value map(Evaluator& e, const Bound& a) {
  const Value given = a[0];
  const Arguments all = a.all;
  return e.runtime().iterator([&e, given, all] {
    std::vector<Value> mapped;
    if (!truth(given)) return mapped;
    const Value* attribute = all.keyword("attribute");
    if (all.positional.size() == 1 && attribute != nullptr) {
      const Path path(e, *attribute);
      const Value* otherwise = all.keyword("default");
      if (otherwise != nullptr && otherwise->is_none()) otherwise = nullptr;
      for (const Value& item : elements(e.runtime(), given)) mapped.push_back(path.follow(e, item, otherwise));
      return mapped;
    }
    if (all.positional.size() < 2) throw Fault("map requires a filter argument");
    const std::string name = need_text(all.positional[1], "map").bytes();
    const Callable* filter = find_filter(name);
    if (filter == nullptr) throw Fault("No filter named " + repr_of(name) + ".");
    Arguments arguments{.positional = {all.positional.begin() + 1, all.positional.end()}, .keywords = all.keywords};
    for (const Value& item : elements(e.runtime(), given)) {
      arguments.positional[0] = item;
      mapped.push_back(invoke(e, *filter, arguments));
    }
    return mapped;
  });
}

/// select, reject, selectattr and rejectattr: elements for which a test holds, or does not.
template <bool kWanted, bool kAttribute>
Value choose(Evaluator& e, const Bound& a) {
  const Value given = a[0];
  const Arguments all = a.all;
  return e.runtime().iterator([&e, given, all] {
    std::vector<Value> kept;
    if (!truth(given)) return kept;
    constexpr size_t kTest = kAttribute ? 2 : 1;
    if (kAttribute && all.positional.size() < 2) throw Fault("Missing parameter for attribute name");
    const Path path(e, kAttribute ? all.positional[1] : Value::none());
    const Callable* test = nullptr;
    Arguments arguments{.positional = {}, .keywords = all.keywords};
    if (all.positional.size() > kTest) {
      const std::string name = need_text(all.positional[kTest], "select").bytes();
      test = find_test(name);
      if (test == nullptr) throw Fault("No test named " + repr_of(name) + ".");
      arguments.positional.assign(all.positional.begin() + kTest, all.positional.end());
    }
    for (const Value& item : elements(e.runtime(), given)) {
      Value subject = path.follow(e, item);
      bool holds = false;
      if (test == nullptr) {
        holds = truth(subject);
      } else {
        arguments.positional[0] = std::move(subject);
        holds = truth(invoke(e, *test, arguments));
      }
      if (holds == kWanted) kept.push_back(item);
    }
    return kept;
  });
}

constexpr Callable kFilters[] = {
    {"sort", sort, {"value", "reverse", "case_sensitive", "attribute"}, 1},
    {"dictsort", dictsort, {"value", "case_sensitive", "by", "reverse"}, 1},
    {"unique", unique, {"value", "case_sensitive", "attribute"}, 1},
    {"min", extreme<false>, {"value", "case_sensitive", "attribute"}, 1},
    {"max", extreme<true>, {"value", "case_sensitive", "attribute"}, 1},
    {"join", join, {"value", "d", "attribute"}, 1},
    {"first", first, {"seq"}, 1},
    {"last", last, {"seq"}, 1},
    {"reverse", reverse, {"value"}, 1},
    {"list", list, {"value"}, 1},
    {"length", length_of, {"obj"}, 1},
    {"count", length_of, {"obj"}, 1},
    {"items", items, {"value"}, 1},
    {"sum", sum, {"iterable", "attribute", "start"}, 1},
    {"batch", batch, {"value", "linecount", "fill_with"}, 2},
    {"slice", slice, {"value", "slices", "fill_with"}, 2},
    {"groupby", group, {"value", "attribute", "default", "case_sensitive"}, 2},
    {"map", map, {"value"}, 1, true},
    {"select", choose<true, false>, {"value"}, 1, true},
    {"reject", choose<false, false>, {"value"}, 1, true},
    {"selectattr", choose<true, true>, {"value"}, 1, true},
    {"rejectattr", choose<false, true>, {"value"}, 1, true},
};

}  // namespace

std::span<const Callable> sequence_filters() { return kFilters; }

}  // namespace braid::jinja
