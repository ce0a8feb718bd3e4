#pragma once
// --batch LINES.jsonl: one JSON object in and one out per line, in order, in one process.

#include <functional>
#include <string>

#include "cli/command.h"
#include "core/json.h"

namespace braid::cli {

/// Calls `answer` with each line's object and a writer to which it adds members; prints the results. A line that fails
/// (no JSON, or `answer` throws) gives {"error": …}; the rest go on. Empty lines are left out. Returns the exit status.
/// Throws Error when the file cannot be read.
int answer_lines(Session& session, const std::string& path,
                 const std::function<void(const Json& line, JsonWriter& out)>& answer);

/// A member of a line that may be absent.
bool flag_or(const Json& line, std::string_view key, bool otherwise);

}  // namespace braid::cli
