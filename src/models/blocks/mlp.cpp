#include "models/blocks/mlp.h"

namespace braid {

Value gated_mlp(const Scope& m, Value x, const Mlp& how) {
  const auto [gate, up] = m.project({{"gate_proj", how.inner}, {"up_proj", how.inner}}, x, how.bias);
  return m.project("down_proj", activation(how.activation, gate) * up, x.dim(-1).number(), how.bias);
}

Value fused_gated_mlp(const Scope& m, Value x, const Mlp& how, const FusedNames& names) {
  const Value both = m.project(names.both, x, 2 * how.inner, how.bias);
  const Value gate = slice(both, -1, 0, how.inner), up = slice(both, -1, how.inner, 2 * how.inner);
  return m.project(names.down, activation(how.activation, gate) * up, x.dim(-1).number(), how.bias);
}

Value fused_gated_mlp(const Scope& m, Value x, const Mlp& how) { return fused_gated_mlp(m, x, how, {}); }

Value ungated_mlp(const Scope& m, Value x, const Mlp& how) { return plain_mlp(m, x, how, "up_proj", "down_proj"); }

Value plain_mlp(const Scope& m, Value x, const Mlp& how, std::string_view first, std::string_view second) {
  const Value inner = activation(how.activation, m.project(first, x, how.inner, how.bias));
  return m.project(second, inner, x.dim(-1).number(), how.bias);
}

}  // namespace braid
