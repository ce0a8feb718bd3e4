#include "models/blocks/outputs.h"

namespace braid {

void HiddenStates::add(Value x, const Shape& shape) {
  if (!step_.options().hidden_states) return;
  step_.builder().output(prefix_ + "." + std::to_string(count_++), shape.empty() ? x : reshape(x, shape));
}

Value first_of_each(const Step& t, Value x) {
  const Value first = gather(t.span_start(), iota(t.builder(), Symbol::sequences));
  return gather(x, first);
}

Value last_of_each(const Step& t, Value x) {
  const Value last = gather(t.span_start(), iota(t.builder(), Symbol::sequences) + 1.0) + -1.0;
  return gather(x, last);
}

Value mean_of_each(const Step& t, Value x) {
  const Dim tokens = x.dim(0);
  const Value v = reshape(x, {tokens, 1, x.dim(1)}), zeros = broadcast(t.builder().scalar(0), v.type().shape);
  const Value means = attend(zeros, zeros, v, t.span_start(), {.causal = false});
  return first_of_each(t, reshape(means, {tokens, x.dim(1)}));
}

Value token_logits(const Scope& s, const Step& t, Value x, int64_t vocabulary) {
  const Within here(s);
  return contract(gather(x, t.rows()), s.weight({vocabulary, x.dim(-1)}));
}

}  // namespace braid
