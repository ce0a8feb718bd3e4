#pragma once
// What a run of `bench` says, and how it compares with another one's.

#include <string>

#include "cli/console.h"
#include "core/json.h"
#include "tasks/bench.h"

namespace braid::cli {

/// Members of an object. `compute`: the formats that were used.
void write(JsonWriter& json, const BenchOptions& options, const BenchResult& r, const std::string& compute);
std::string text_of(const BenchOptions& options, const BenchResult& r, const std::string& compute);
/// Compares with a file of --save; prints a line per figure on stderr. The worst of them is the verdict.
Regression compare(Console& console, const std::string& path, const BenchOptions& options, const BenchResult& now);

}  // namespace braid::cli
