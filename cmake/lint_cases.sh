# What the rules of lint.sh forbid and what they leave alone, one case each. Read by `lint.sh --self-test`, whose `expect RULE FILE`
# puts stdin into FILE of a small clean tree. Forbidden words are put together here, so that this file itself stays clean.
# shellcheck shell=sh disable=SC2016  # nothing in the cases is to be expanded

expect none src/core/clean.cpp <<'TXT'
#include "core/a.h"

namespace braid {
/* (a, comment, with, many, commas, in, it, std::regex) */
constexpr const char* kText = R"(f(a, b, c, d, e, f, g, h) abort( )";
int six(int a, int b, std::map<int, std::pair<int, int>> c, int d, int (*e)(int, int, int), int f = g({1, 2}, 3));
const Table kTable = make_table(1, 2, 3, 4, 5, 6, 7, 8);
struct Point {
  explicit Point(int x) : x_(clamp(x, 1, 2, 3, 4, 5, 6, 7)), y_{1, 2, 3, 4, 5, 6, 7} {}
  int x_ = pick(1, 2, 3, 4, 5, 6, 7), y_[7];
  void abort() { stop(1, 2, 3, 4, 5, 6, 7); }
};
int run(Point& p) {
  const int exit = 1'000'000 + 'a';
  p.abort();
  return call(1, 2, 3, 4, 5, 6, 7, exit);
}
}  // namespace braid
TXT

echo 'int  f( );' | expect format src/core/crooked.cpp
awk 'BEGIN { while (n++ < 601) print "int a" n ";" }' | expect length src/core/long.cpp
echo '#include "core/a.h"' | expect depth src/core/x/y/z/deep.cpp
echo 'int f();' | expect pragma src/core/bare.h

echo '#include "ir/b.h"' | expect includes src/core/up.cpp
echo '#include "core/a.h"' | expect none src/ir/down.cpp
echo '#include "a.h"' | expect includes src/core/near.cpp
echo '#include "core/a.h"' | expect includes src/stray/stray.cpp
printf 'braid_folder(ir)\nbraid_folder(core)\n' | expect includes src/CMakeLists.txt
printf 'braid_folder(core DEPS ir)\nbraid_folder(ir)\n' | expect includes src/CMakeLists.txt
printf 'braid_folder(core)\nbraid_folder(ir)\nbraid_folder(attic)\n' | expect includes src/CMakeLists.txt

echo 'int f(int a, int b, int c, int d, int e, int f, int g);' | expect parameters src/core/seven.cpp
expect parameters src/core/member.cpp <<'TXT'
namespace braid {
struct A {
  template <typename T>
  static std::vector<T> name_that_takes_room(const std::string& first, std::map<int, int> b, int c, int d, int e, int f,
                                             int g = 1) {
    return {};
  }
};
}  // namespace braid
TXT
printf 'A::A(int a, int b, int c, int d, int e, int f, int g) : a_(a) {}\n' | expect parameters src/core/constructor.cpp
echo 'void (*f)(int a, int b, int c, int d, int e, int f, int g);' | expect parameters src/core/pointer.cpp

echo '#include <regex>' | expect banned src/core/pattern.cpp
echo 'std::regex pattern;' | expect banned tests/core/pattern_test.cpp
echo 'void f() { std::abort(); }' | expect banned src/core/dies.cpp
echo 'void f() { exit(1); }' | expect banned src/core/leaves.cpp
echo 'void f() { std::abort(); }' | expect none tests/core/dies_test.cpp

echo "// TO""DO: the rest" | expect unfinished src/core/later.cpp
echo "// a st""ub" | expect unfinished src/core/later.cpp
echo "// good enough for n""ow" | expect unfinished src/core/later.cpp
echo "// not impl""emented" | expect unfinished tests/core/later_test.cpp
echo 'const char* name = "braid-XXXXXX";  // substitute' | expect none src/core/name.cpp

printf 'read %s/shared/x\n' .. | expect paths docs/reach.md
printf 'read /%s/me/x\n' home | expect paths docs/reach.md
printf 'const char* path = "/%s/x";\n' root | expect paths src/core/reach.cpp
echo 'see src/work/x, https://example.org/work/x and ${prefix}/opt/x' | expect none docs/reach.md

echo '#include "core/a.h"' | expect mirror tests/attic/attic_test.cpp
echo '#include "core/a.h"' | expect none tests/support/kit_test.cpp
head -c 53000000 /dev/zero | expect size models/large.bin

echo 'FAMILY(llama)' | expect models src/models/list.inc
