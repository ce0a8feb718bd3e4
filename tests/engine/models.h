#pragma once
// Models of the kit, loaded for a device, and their reference tokens.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/json.h"
#include "support/kit.h"
#include "tasks/load.h"

namespace braid::test {

/// fp32 activations and cache, as the references were computed.
inline LoadOptions exact_options(const std::string& model, const std::string& device) {
  LoadOptions options{.model = kit_path(model).value().string(), .device = device, .isa = {}};
  options.rewrite.exact = true;
  return options;
}

struct Greedy {
  std::vector<int32_t> prompt, tokens;
};

inline std::vector<int32_t> ids_of(Json list) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < list.size(); ++i) ids.push_back(static_cast<int32_t>(list[i].as_int()));
  return ids;
}

/// The member "greedy" of a golden case of a causal model.
inline Greedy golden_greedy(const std::string& model) {
  const JsonDocument golden = JsonDocument::read((*kit_path(model) / "golden.json").string());
  const Json greedy = golden.root().at("greedy");
  return {.prompt = ids_of(greedy.at("prompt")), .tokens = ids_of(greedy.at("tokens"))};
}

/// Causal golden cases that the tree holds.
inline std::vector<std::string> causal_cases() {
  std::vector<std::string> cases;
  for (const std::string& name : {"gpt2", "gpt2-prefixed", "llama-bias", "llama-gqa", "llama-padded",
                                  "llama-rope-llama3", "llama-yarn", "mamba", "mixtral"})
    cases.push_back("golden/text/" + name);
  return cases;
}

}  // namespace braid::test
