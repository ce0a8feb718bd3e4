#pragma once
// What a generation did, for --json and --verbose.

#include <string>

#include "tasks/generate.h"

namespace braid::cli {

struct GenerationReport {
  const GenerateResult& result;
  const GenerationConfig& settings;  ///< what was asked for over the model's own
  const GenerateOptions& options;
  std::string compute;
};
/// One object, with a newline.
std::string generation_json(const GenerationReport& report);
/// The settings that are in force, in one line.
std::string settings_line(const GenerationConfig& settings);
std::string timings_line(const GenerateResult& result);

}  // namespace braid::cli
