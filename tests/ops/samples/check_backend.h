#pragma once
// Every backend against the oracle, on every sample.

#include <span>
#include <string>

#include "backend/backend.h"
#include "ops/samples/samples.h"

namespace braid::samples {

/// How far two f32 computations of the same thing may lie apart: relative error in the L2 norm.
///
/// A sum of n terms in f32, in any order, makes at most n roundings of ε = 2⁻²⁴ relative to partial sums that are no
/// greater than the sum of the magnitudes. Roundings are as good as independent, so their effects add like the steps of
/// a random walk: ε·√n relative to the root mean square of the outputs. A function that is off by u units in the last
/// place counts as (2u)² roundings. The factor 4 makes it four standard deviations. Nothing else is allowed: operands
/// in fewer bits are the same bits on both sides, since the oracle runs the graph after the precision pass.
double tolerance(double roundings);

/// ‖y - wanted‖ / ‖wanted‖ over elements in any format; 0 for equal bits (NaNs included); infinite when shapes, formats
/// or the places of NaNs and infinities differ.
double relative_error(const Tensor& y, const Tensor& wanted);

/// Compiles, binds and runs each sample in the sizes of each of the backend's classes that takes it, and compares
/// outputs and states with what the oracle makes of the graph that the executable says it runs. Integers, booleans and
/// results of moves must be equal to the bit. Fails the running test naming sample and output.
void check_backend(Backend& backend, std::span<const Sample> samples, const RewriteOptions& rewrite);

}  // namespace braid::samples
