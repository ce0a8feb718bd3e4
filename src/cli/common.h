#pragma once
// The flags that every command takes, in one place.

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "cli/flags.h"
#include "rewrite/options.h"

namespace braid::cli {

struct Common {
  std::string device = "auto";  ///< auto, cpu, oracle, null, cuda:N
  int64_t threads = 0;          ///< 0: one per core
  std::string isa;              ///< name of a CPU kernel table; empty: the best
  RewriteOptions rewrite;
  std::optional<int64_t> context;          ///< longest sequence, in tokens
  std::optional<uint64_t> memory, vram;    ///< budgets, in bytes
  std::optional<uint64_t> random_weights;  ///< a seed
  bool own_context = false;                ///< set before add_common_flags: --context is the command's own
  bool strict = false, receipt = false, verbose = false, json = false;
};

/// --json and --verbose alone: commands that run no model.
void add_output_flags(Flags& flags, Common& common);
/// All of them. `exact`: what --exact is without the flag (`forward`, `perplexity` and `validate` are exact by
/// default; then -O2 and above turns it off).
void add_common_flags(Flags& flags, Common& common, bool exact = false);

}  // namespace braid::cli
