#pragma once
// Python's integers have no bound; ours have 128 bits, and what does not fit is an error, never another number.

#include <string>

namespace braid::jinja {

__extension__ using Integer = __int128;

std::string to_decimal(Integer value);

}  // namespace braid::jinja
