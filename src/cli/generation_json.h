#pragma once
// What a generation did, for --json and --verbose.

#include <string>

#include "core/json.h"
#include "tasks/generate.h"

namespace braid::cli {

struct GenerationReport {
  const GenerateResult& result;
  const GenerationConfig& settings;  ///< what was asked for over the model's own
  const GenerateOptions& options;
  std::string compute;
};
/// Members of an object: what one text is, with its log-probabilities when they were wanted.
void write_text(JsonWriter& json, const GeneratedText& text, bool logprobs);
/// One object, with a newline.
std::string generation_json(const GenerationReport& report);
/// The settings that are in force, in one line.
std::string settings_line(const GenerationConfig& settings);
std::string timings_line(const GenerateResult& result);

}  // namespace braid::cli
