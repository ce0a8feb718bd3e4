// auto-round (arXiv:2309.05516) in its own packaging: the layout of GPTQ or of AWQ, without g_idx; `extra_config` names
// modules of other widths, which their tensors' shapes say as well.
#include "models/schemes/scheme.h"

namespace braid {

SchemeReader auto_round_scheme(const Config& how) {
  const std::string packing = how.string_or("packing_format", "auto_round:auto_gptq");
  const bool awq = packing.ends_with("awq");
  if (!awq && !packing.ends_with("gptq"))
    how.fail("packing_format", "the packing \"" + packing + "\" is not supported",
             "Braid reads auto_gptq and auto_awq");
  const bool less_one = how.string_or("checkpoint_format", "gptq") != "gptq_v2";
  return [=](const QuantizedModule& m) -> std::vector<CodedWeight> {
    if (!m.has("qweight")) return {};
    return {awq ? awq_weight(m) : gptq_weight(m, less_one)};
  };
}

}  // namespace braid
