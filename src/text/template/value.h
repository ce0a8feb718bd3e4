#pragma once
// Values as Python has them, as far as templates can see: a small handle, copied freely. Strings are shared and
// immutable; lists, dicts and everything else live in the Runtime of one rendering and die with it, so values may form
// cycles (a namespace that holds itself) and nest deeply without harm.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/template/integer.h"
#include "text/template/text.h"

namespace braid::jinja {

enum class Kind : uint8_t {
  undefined,
  none,
  boolean,
  integer,
  real,
  string,
  list,
  tuple,
  dict,
  view,        // of a dict: keys(), values(), items()
  range,       //
  iterator,    // what map, select … give: runs once, has no length
  name_space,  // namespace(...)
  macro,       //
  loop,        // the variable of a for loop
  function,    // a global function
  method,      // a method with its object
  cycler,      //
  joiner,      //
};

/// What lives in a Runtime.
struct Object {
  virtual ~Object() = default;
};

struct Sequence;
struct Dict;
struct Iterator;

class Value {
 public:
  /// Undefined, with what to say when it is used.
  Value() = default;
  static Value undefined(TextPtr message, bool unsafe = false) {
    Value v;
    v.text_ = std::move(message);
    v.flag_ = unsafe;
    return v;
  }
  static Value none() { return Value(Kind::none); }
  static Value boolean(bool b) {
    Value v(Kind::boolean);
    v.integer_ = b;
    return v;
  }
  static Value integer(Integer i) {
    Value v(Kind::integer);
    v.integer_ = i;
    return v;
  }
  static Value real(double d) {
    Value v(Kind::real);
    v.real_ = d;
    return v;
  }
  /// `markup`: safe HTML, which escapes what is added to it.
  static Value string(TextPtr text, bool markup = false) {
    Value v(Kind::string);
    v.text_ = std::move(text);
    v.flag_ = markup;
    return v;
  }
  static Value object(Kind kind, Object& object) {
    Value v(kind);
    v.object_ = &object;
    return v;
  }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_undefined() const { return kind_ == Kind::undefined; }
  bool is_none() const { return kind_ == Kind::none; }
  bool is_string() const { return kind_ == Kind::string; }
  bool is_number() const { return kind_ == Kind::boolean || kind_ == Kind::integer || kind_ == Kind::real; }
  /// Python's int, of which bool is one.
  bool is_int() const { return kind_ == Kind::boolean || kind_ == Kind::integer; }
  bool is_markup() const { return is_string() && flag_; }
  bool is_unsafe() const { return is_undefined() && flag_; }

  bool as_bool() const { return integer_ != 0; }
  Integer as_int() const { return integer_; }
  double as_real() const { return kind_ == Kind::real ? real_ : static_cast<double>(integer_); }
  /// Of strings.
  const Text& text() const { return *text_; }
  const TextPtr& text_ptr() const { return text_; }
  std::string_view view() const { return text_->view(); }

  template <class T>
  T& as() const {
    return static_cast<T&>(*object_);
  }
  const Object* identity() const { return object_; }
  /// Elements of a list, tuple, view or range.
  const std::vector<Value>& items() const;
  bool is_sequence() const {
    return kind_ == Kind::list || kind_ == Kind::tuple || kind_ == Kind::view || kind_ == Kind::range;
  }

 private:
  explicit Value(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::undefined;
  bool flag_ = false;
  union {
    Integer integer_ = 0;
    double real_;
  };
  Object* object_ = nullptr;
  TextPtr text_;
};

inline constexpr std::string_view kGroup = "group";

/// Lists, tuples, views and ranges. None of them ever changes once a template sees it.
struct Sequence : Object {
  std::vector<Value> items;
  std::string_view name = {};             ///< of a view: "dict_keys" …; of a tuple that groupby made: kGroup
  Integer start = 0, stop = 0, step = 1;  ///< of a range
};

inline const std::vector<Value>& Value::items() const { return as<Sequence>().items; }

/// In order of insertion, found by hash.
struct Dict : Object {
  std::vector<std::pair<Value, Value>> entries;

  /// Null when absent. Throws Fault for a key that cannot be one (a list).
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  void set(const Value& key, Value value);

 private:
  static constexpr size_t kIndexed = 12;  // fewer are found faster by looking at all
  std::optional<size_t> index_of(const std::string& hash) const;
  mutable std::unordered_map<std::string, size_t> index_;
};

/// Runs its producer when first asked; each element comes once.
struct Iterator : Object {
  std::function<std::vector<Value>()> produce;
  std::vector<Value> items = {};
  size_t at = 0;
  /// What is left, which is then gone.
  std::vector<Value> take();
  std::optional<Value> next();

 private:
  void start();
};

struct Namespace : Object {
  std::vector<std::pair<std::string, Value>> attributes;
  const Value* find(std::string_view name) const;
  void set(std::string_view name, Value value);
};

struct Cycler : Object {
  std::vector<Value> items;
  size_t at = 0;
};

struct Joiner : Object {
  Value separator;
  bool used = false;
};

}  // namespace braid::jinja
