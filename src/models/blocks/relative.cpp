#include "models/blocks/relative.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace braid {

std::vector<int32_t> relative_buckets(const RelativeBuckets& c) {
  const int64_t side = c.bidirectional ? c.buckets / 2 : c.buckets, exact = side / 2;
  if (exact < 1 || c.max_distance <= exact)
    throw Error(std::to_string(c.buckets) + " buckets do not reach to the distance " + std::to_string(c.max_distance),
                {.file = {}, .field = "relative_attention_num_buckets", .offset = {}});
  // In f32 as torch computes it: a bucket's border may lie on either side of a distance by one rounding.
  const auto bucket = [&](int64_t distance) {
    if (distance < exact) return distance;
    const float far = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(static_cast<double>(c.max_distance) / static_cast<double>(exact))) *
                      static_cast<float>(side - exact);
    return std::min(exact + static_cast<int64_t>(far), side - 1);
  };
  std::vector<int32_t> of_distance;
  for (int64_t d = -c.max_distance; d <= c.max_distance; ++d) {
    const int64_t after = c.bidirectional && d > 0 ? side : 0;
    of_distance.push_back(
        static_cast<int32_t>(after + bucket(c.bidirectional ? std::abs(d) : std::max<int64_t>(-d, 0))));
  }
  return of_distance;
}

Value relative_bias(const Scope& s, const RelativeBuckets& c, int64_t heads) {
  const Within here(s);
  const std::vector<int32_t> of_distance = relative_buckets(c);
  const Value index =
      s.builder().constant(Tensor::of({static_cast<int64_t>(of_distance.size())}, std::span(of_distance)));
  return transpose(gather(s.floats("weight", {c.buckets, heads}), index), {1, 0});
}

}  // namespace braid
