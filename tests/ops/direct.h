#pragma once
// Independent, direct computations in f64: what expansions are checked against.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "formats/formats.h"
#include "ops/samples/check_backend.h"
#include "ops/samples/samples.h"

namespace braid::direct {

using Doubles = std::vector<double>;

/// A tensor of any format, row-major, as numbers.
inline Doubles numbers(const Tensor& tensor) {
  Doubles out;
  std::vector<float> row(static_cast<size_t>(tensor.last()));
  for (int64_t r = 0; r < tensor.rows(); ++r) {
    decode_row(tensor, r, row);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

/// Relative L2 error of f32 or i32 elements.
inline double error(const Tensor& y, const Doubles& wanted) {
  EXPECT_EQ(y.elements(), static_cast<int64_t>(wanted.size()));
  const Doubles got = numbers(y);
  double difference = 0, norm = 0;
  for (size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    difference += (got[i] - wanted[i]) * (got[i] - wanted[i]);
    norm += wanted[i] * wanted[i];
  }
  return std::isnan(difference) ? INFINITY : difference == 0 ? 0 : std::sqrt(difference / norm);
}

/// The outputs of a sample.
inline std::vector<Tensor> run(const samples::Sample& sample) {
  std::vector<Tensor> outputs;
  for (NamedTensor& output : oracle::interpret(sample.graph, sample.feeds())) outputs.push_back(output.tensor);
  return outputs;
}

/// The oracle keeps f32 between ops: expansions round a few times on the way, sums once. `ops` is how many.
inline double few_roundings(double ops) { return samples::tolerance(ops); }

}  // namespace braid::direct
