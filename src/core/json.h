#pragma once
// JSON, strictly: one wrapper around simdjson for reading and a small writer. Numbers are exact (int64, uint64 or the
// nearest double), duplicate keys (also when spelt with escapes), overflow (1e400), too deep nesting, invalid UTF-8 and
// trailing bytes are errors that name the file, the path and, where it is known, the byte offset.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/limits.h"

namespace braid {

class JsonDocument;

/// A view of one value of a JsonDocument (which must outlive it). Cheap to copy. The as_… functions throw an Error that
/// names the file and the path of the value ("model.vocab") when the kind is another.
class Json {
 public:
  enum class Kind : uint8_t { null, boolean, integer, real, string, array, object };

  Kind kind() const;
  bool is_null() const { return kind() == Kind::null; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_array() const { return kind() == Kind::array; }
  bool is_object() const { return kind() == Kind::object; }
  bool is_number() const { return kind() == Kind::integer || kind() == Kind::real; }

  bool as_bool() const;
  int64_t as_int() const;  ///< an integer (or a real without fraction) that fits
  uint64_t as_uint() const;
  double as_double() const;
  std::string_view as_string() const;

  /// Elements of an array or members of an object.
  size_t size() const;
  Json operator[](size_t index) const;
  /// A member's value; nothing when the key is absent.
  std::optional<Json> find(std::string_view key) const;
  /// A member's value; an Error that names the missing key otherwise.
  Json at(std::string_view key) const;
  /// Key of the index-th member, in the order of the file.
  std::string_view key(size_t index) const;
  Json value(size_t index) const { return (*this)[index]; }

  /// "model.merges[12]": for error messages.
  std::string path() const;
  /// Throws an Error at this value.
  /// Byte offset of this value in the file (slow: for error messages).
  uint64_t offset() const;
  [[noreturn]] void fail(std::string what, std::string advice = {}) const;

 private:
  friend class JsonDocument;
  Json(const JsonDocument* document, uint32_t node) : document_(document), node_(node) {}
  const JsonDocument* document_;
  uint32_t node_;
};

/// A parsed document. Movable: views stay valid when it moves only if they are taken again; keep it where it is.
class JsonDocument {
 public:
  /// Parses all of `text`. `file` names it in errors; `base` is added to the byte offsets of errors.
  static JsonDocument parse(std::string_view text, std::string file, const Limits& limits = {}, uint64_t base = 0);
  /// Reads and parses a file of at most limits.max_json_bytes.
  static JsonDocument read(const std::string& path, const Limits& limits = {});

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  Json root() const;
  const std::string& file() const;

 private:
  friend class Json;
  struct State;
  explicit JsonDocument(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Writes one JSON value. Keys and strings are escaped and must be UTF-8; NaN and infinities become null.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag);
  JsonWriter& value(double number);
  JsonWriter& value(int64_t number);
  JsonWriter& value(uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<int64_t>(number)); }
  JsonWriter& value(uint32_t number) { return value(static_cast<uint64_t>(number)); }
  JsonWriter& null();
  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  template <class T>
  JsonWriter& list(std::string_view name, std::span<const T> items) {
    key(name).begin_array();
    for (const T& item : items) value(item);
    return end_array();
  }
  const std::string& text() const { return out_; }

 private:
  void separate();
  std::string out_;
  bool comma_ = false;
};

}  // namespace braid
