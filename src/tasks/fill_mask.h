#pragma once
// What may stand where a text has a mask: a masked language model's likeliest tokens.

#include <string>
#include <vector>

#include "tasks/texts.h"

namespace braid {

struct Filling {
  int32_t token = 0;
  float score = 0;         ///< probability
  std::string token_text;  ///< the token alone
  std::string sequence;    ///< the text with it
};
/// Per text, per mask in it, the `top_k` likeliest fillings. Throws UsageError naming the text that has no mask.
std::vector<std::vector<std::vector<Filling>>> fill_masks(LoadedModel& model, std::span<const std::string> texts,
                                                          int64_t top_k = 5);
/// The tokenizer's mask: what its files call mask_token. Throws Error when they name none.
int32_t mask_token(const LoadedModel& model);

}  // namespace braid
