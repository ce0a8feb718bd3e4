#include "text/base/kinds.h"

#include "text/unicode/utf8.h"

namespace braid::text {

char32_t character_member(const Json& node, std::string_view key) {
  const Json member = node.at(key);
  const std::string_view text = member.as_string();
  if (utf8::count(text) != 1) member.fail("\"" + std::string(text) + "\" is not one character");
  return utf8::decode(text, 0).code_point;
}

}  // namespace braid::text
