#pragma once
// Flags of commands that write text: how it is chosen.

#include "cli/flags.h"
#include "files/generation_config.h"

namespace braid::cli {

/// One flag per setting: --top-k, --num-beams, … Both must outlive parse().
void add_generation_flags(Flags& flags, GenerationConfig& settings);

}  // namespace braid::cli
