#pragma once
// The head of an HTTP/1.1 request, checked byte by byte before a parser sees it. Parsers forgive what RFC 9112 lets
// them forgive (line folding, spaces before the colon …), and two that forgive differently can be made to disagree
// about where a request ends; this server forgives nothing.

#include <cstddef>
#include <string_view>

namespace braid::serve {

struct HeadScan {
  enum class State { incomplete, complete, wrong };
  State state = State::incomplete;
  size_t size = 0;         ///< of the head with its empty line, when it is complete
  const char* fault = "";  ///< when it is wrong
};

/// `bytes`: what has come so far. Wrong: a line that ends without a carriage return, a carriage return alone, a control
/// character, a folded line, no name or a space before a colon, an empty request line.
HeadScan scan_head(std::string_view bytes);

/// Whether a Transfer-Encoding says "chunked" and nothing else: the only coding that this server reads.
bool is_chunked(std::string_view transfer_encoding);

}  // namespace braid::serve
