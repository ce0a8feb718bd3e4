#pragma once
// Mixtures of experts.

#include <string_view>

#include "models/scope.h"

namespace braid {

struct Mixture {
  int64_t experts, chosen;  ///< how many there are; how many each token takes
  bool renormalise;         ///< divide the chosen weights by their sum
  int64_t inner;            ///< width inside an expert
  std::string_view activation;
  std::string_view gate, up, down;  ///< tensors of an expert: SCOPE.experts.E.{gate,up,down}.weight
};
/// x (tokens, width) → (tokens, width). Only the chosen experts are computed: each token's row is copied once per
/// chosen expert, the copies sorted by expert, and three grouped products read the experts' weights in place.
Value mixture(const Scope& s, Value x, const Mixture& how);

}  // namespace braid
