#include "models/blocks/norm.h"

namespace braid {

Value rms_norm(const Scope& s, Value x, double epsilon) {
  const Within here(s);
  return rms_norm(x, s.floats("weight", {x.dim(-1)}), epsilon);
}

Value offset_rms_norm(const Scope& s, Value x, double epsilon) {
  const Within here(s);
  return rms_norm(x, s.floats("weight", {x.dim(-1)}) + 1.0, epsilon);
}

Value layer_norm(const Scope& s, Value x, double epsilon) {
  const Within here(s);
  return layer_norm(x, s.floats("weight", {x.dim(-1)}), s.floats("bias", {x.dim(-1)}), epsilon);
}

Value offset_layer_norm(const Scope& s, Value x, double epsilon) {
  const Within here(s);
  return layer_norm(x, s.floats("weight", {x.dim(-1)}) + 1.0, s.floats("bias", {x.dim(-1)}), epsilon);
}

Value layer_norm_without_bias(const Scope& s, Value x, double epsilon) {
  const Within here(s);
  return layer_norm(x, s.floats("weight", {x.dim(-1)}), {}, epsilon);
}

Value layer_norm_per_head(const Scope& s, Value x, double epsilon) {
  return layer_norm_without_weight(s, x, epsilon) * s.floats("weight", {x.dim(1), x.dim(2)});
}

Value layer_norm_without_weight(const Scope& s, Value x, double epsilon) {
  const Within here(s);
  return layer_norm(x, broadcast(s.builder().scalar(1), {x.dim(-1)}), {}, epsilon);
}

Value rms_norm_across_heads(const Scope& s, Value x, double epsilon) {
  const Value all = reshape(x, {x.dim(0), x.dim(1) * x.dim(2).number()});
  return reshape(rms_norm(s, all, epsilon), {x.dim(0), x.dim(1), x.dim(2)});
}

}  // namespace braid
