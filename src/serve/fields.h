#pragma once
// The members of a request's body, each read once with its type and range. What nobody read is refused by name: a
// setting that is ignored in silence is worse than one that is not there.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "serve/api_error.h"

namespace braid::serve {

class Fields {
 public:
  /// A body that is a JSON object. Throws ApiError with the byte offset of what is not JSON.
  explicit Fields(std::string_view body);

  /// Each throws ApiError naming the member when it is there with another type or out of range; null counts as absent.
  std::optional<int64_t> integer(std::string_view name, int64_t least, int64_t most);
  std::optional<double> real(std::string_view name, double least, double most);
  std::optional<bool> flag(std::string_view name);
  std::optional<std::string> text(std::string_view name);
  std::optional<Json> any(std::string_view name);
  /// One string or a list of them, none of them empty.
  std::vector<std::string> texts(std::string_view name, size_t most);
  /// A list of token ids.
  std::vector<int32_t> ids(std::string_view name, int64_t vocabulary, size_t most);

  /// A member that changes nothing here (user, metadata …).
  void accept(std::string_view name) { known_.emplace(name); }
  /// A member that is not supported, unless its value says the same as its absence: null, false, "", an empty list or
  /// object, or `neutral` as JSON text.
  void refuse(std::string_view name, std::string_view why, std::string_view neutral = {});
  /// Throws ApiError naming a member that nobody asked for.
  void finish() const;

 private:
  JsonDocument document_;
  std::set<std::string, std::less<>> known_;
};

/// Throws ApiError(400) that names a parameter.
[[noreturn]] void reject(std::string_view param, std::string what, std::string code = {});
/// Token ids of a JSON list. Throws ApiError naming `param` and the place in the list.
std::vector<int32_t> ids_of(Json list, std::string_view param, int64_t vocabulary);

}  // namespace braid::serve
