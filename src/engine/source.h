#pragma once
// What an encoder–decoder writes about: a window of features, or token ids.

#include <span>

#include "engine/program.h"

namespace braid {

/// Whether the model's "encode" entry reads token ids.
bool encodes_tokens(Program& program);
/// Throws UsageError naming `prompt` and the place of a token outside the vocabulary.
void check_tokens(std::span<const int32_t> ids, int64_t vocabulary);
/// Throws UsageError when "encode" does not read such a source: its type, a token outside the vocabulary, more tokens
/// than a source slot has room for.
void check_source(const Tensor& source, Program& program);
/// The step of "encode" that brings one checked source into a slot.
StepData encode_step(const Model& model, const Tensor& source, int32_t slot);

}  // namespace braid
