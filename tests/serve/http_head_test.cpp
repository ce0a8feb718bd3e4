// What counts as the head of a request.

#include "serve/http_head.h"

#include <gtest/gtest.h>

#include <string>

namespace braid::serve::test {
namespace {

using State = HeadScan::State;

TEST(HttpHead, EndsWithAnEmptyLineAndNotBefore) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t n = 0; n < head.size(); ++n) EXPECT_EQ(scan_head(head.substr(0, n)).state, State::incomplete) << n;
  const HeadScan scan = scan_head(head + "body\n");
  EXPECT_EQ(scan.state, State::complete);
  EXPECT_EQ(scan.size, head.size());
}

TEST(HttpHead, RefusesWhatParsersForgive) {
  for (const char* wrong :
       {"GET / HTTP/1.1\nHost: a\r\n\r\n", "\r\nGET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n folded: b\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost a\r\n\r\n", "GET / HTTP/1.1\r\nHo\rst: a\r\n\r\n", "GET\t/ HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nA: \x7f\r\n\r\n", "\x16\x03\x01", "GET / HTTP/1.1\r\nA(b): c\r\n\r\n"}) {
    const HeadScan scan = scan_head(wrong);
    EXPECT_EQ(scan.state, State::wrong) << wrong;
    EXPECT_STRNE(scan.fault, "") << wrong;
  }
}

TEST(HttpHead, ReadsChunkedAndNoOtherCoding) {
  EXPECT_TRUE(is_chunked("chunked"));
  EXPECT_TRUE(is_chunked("Chunked"));
  for (const char* other : {"", "chunkedx", "gzip, chunked", "chunked, chunked", " chunked", "identity"})
    EXPECT_FALSE(is_chunked(other)) << other;
}

}  // namespace
}  // namespace braid::serve::test
