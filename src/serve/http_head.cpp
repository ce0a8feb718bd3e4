#include "serve/http_head.h"

#include <algorithm>

namespace braid::serve {
namespace {

/// tchar of RFC 9110, 5.6.2.
bool is_token(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool has_control(std::string_view line) {
  return std::ranges::any_of(line,
                             [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}
constexpr const char* kControl = "a control character in the head";

const char* fault_of_line(std::string_view line, bool first) {
  if (has_control(line)) return kControl;
  if (first) return line.find('\t') == std::string_view::npos ? nullptr : "a tab in the request line";
  if (line.front() == ' ' || line.front() == '\t') return "a folded header line";
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return "a header line without a name and a colon";
  if (!std::ranges::all_of(line.substr(0, colon), is_token)) return "a header name with a character that none may have";
  return nullptr;
}

}  // namespace

HeadScan scan_head(std::string_view bytes) {
  for (size_t begin = 0;;) {
    const size_t end = bytes.find('\n', begin);
    if (end == std::string_view::npos) {  // what will never be a line is refused at once: a TLS greeting
      const std::string_view rest = bytes.substr(begin, bytes.size() - begin - (bytes.ends_with('\r') ? 1 : 0));
      return has_control(rest) ? HeadScan{.state = HeadScan::State::wrong, .fault = kControl} : HeadScan{};
    }
    if (end == begin || bytes[end - 1] != '\r')
      return {.state = HeadScan::State::wrong, .fault = "a line that does not end with CR LF"};
    const std::string_view line = bytes.substr(begin, end - 1 - begin);
    const bool first = begin == 0;
    if (line.empty() && first) return {.state = HeadScan::State::wrong, .fault = "an empty request line"};
    if (line.empty()) return {.state = HeadScan::State::complete, .size = end + 1};
    if (const char* fault = fault_of_line(line, first)) return {.state = HeadScan::State::wrong, .fault = fault};
    begin = end + 1;
  }
}

bool is_chunked(std::string_view transfer_encoding) {
  constexpr std::string_view kChunked = "chunked";
  return std::ranges::equal(transfer_encoding, kChunked, [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace braid::serve
