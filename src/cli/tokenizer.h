#pragma once
// MODEL of the commands that need its tokenizer alone.

#include <string>

#include "cli/console.h"
#include "text/tokenizer.h"

namespace braid::cli {

/// From a tokenizer.json, a folder that holds one (and perhaps no model), or a model that resolve_model finds. What
/// the file asks for and encoding does not do is noted on stderr when `verbose`. Throws Error.
Tokenizer load_tokenizer(const std::string& model, Console& console, bool verbose);

}  // namespace braid::cli
