#pragma once
// From the common flags to a model that can run, and what commands say about how it ran.

#include <string>

#include "cli/command.h"
#include "cli/common.h"
#include "core/json.h"
#include "tasks/load.h"

namespace braid::cli {

/// What the flags ask for. Throws UsageError for an option that does not fit the device.
LoadOptions load_options(const Common& common, const std::string& model);
/// Loads, with notes on stderr (all of them when --verbose, else warnings only).
LoadedModel load(Session& session, const Common& common, const LoadOptions& options);

/// After the work: the receipts on stderr when --receipt asks for them, and each slow fallback once.
void report(Session& session, const Common& common, const Program& program);
/// "compute": the formats that were used, as the receipts say.
std::string compute(const Program& program);

}  // namespace braid::cli
