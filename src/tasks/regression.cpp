#include "tasks/bench.h"

namespace braid {
namespace {

constexpr double kMinor = 0.05, kModerate = 0.15, kSevere = 0.30;

}  // namespace

std::string_view name(Regression regression) {
  constexpr std::string_view kNames[] = {"none", "minor", "moderate", "severe"};
  return kNames[static_cast<size_t>(regression)];
}

Regression judge(double worse, double spread) {
  if (!(worse > spread)) return Regression::none;
  return worse >= kSevere     ? Regression::severe
         : worse >= kModerate ? Regression::moderate
         : worse >= kMinor    ? Regression::minor
                              : Regression::none;
}

}  // namespace braid
