#pragma once
// From what a user names to a model that can run: folder, config, tokenizer, weights, device.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/program.h"
#include "files/checkpoint.h"
#include "files/config.h"
#include "files/generation_config.h"
#include "files/model_folder.h"
#include "models/schemes/scheme.h"

namespace braid {

class Tokenizer;  // text/tokenizer.h

struct LoadOptions {
  std::string model = "books-4m";  ///< MODEL as on the command line
  std::string device =
      "auto";  ///< "auto", "cpu"; "oracle": slow and plain, to compare with; "null": only what the engine itself costs
  std::shared_ptr<Backend> backend = {};  ///< to share one; else `device`, `threads` and `isa` say which is made
  int threads = 0;                        ///< of the CPU's team; 0: one per core
  std::string isa = {};         ///< at most this instruction set ("baseline", "avx2" …); empty: the best there is
  RewriteOptions rewrite = {};  ///< level, exactness, weights' format, rules
  std::optional<uint64_t> random_seed = {};  ///< random weights in the config's dtype; no checkpoint is opened
  int64_t context = 0;                       ///< longest sequence in tokens; 0: the model's, at most kDefaultContext
  int64_t sequences = 1;                     ///< sequences in one step at most
  /// Settings asked for by who generates: then there is room for the beams that they and the model's ask for.
  std::optional<GenerationConfig> generation = {};
  int64_t requests = 1;                 ///< that run at once, each with its beams
  int64_t written_tokens = 0;           ///< of an encoder-decoder's text where no setting says it; 0: the context
  int64_t step_tokens = 512;            ///< tokens in one step at most
  int64_t rows = 0;                     ///< rows of logits in one step at most; 0: one per sequence
  std::optional<uint64_t> memory = {};  ///< bytes that weights, states and arenas may take together
  bool strict = false;                  ///< a slow fallback is an error
  bool stateful = true;                 ///< false: cacheless graphs, one step holds whole sequences (`forward`)
  Purpose purpose = Purpose::own;       ///< features: the model without its head (`embed`)
  bool hidden_states = false;           ///< also the outputs hidden.N
  int64_t source_tokens = 0;            ///< longest source of an encoder of tokens; 0: `context`
  std::vector<int64_t> source = {};     ///< size of one image or feature window: EntryOptions::source
};
inline constexpr int64_t kDefaultContext = 8192;

struct LoadedModel {
  ModelFolder place;
  Config config;
  GenerationConfig generation;
  std::shared_ptr<const Checkpoint> checkpoint;          ///< null with random weights
  std::shared_ptr<const QuantizedCheckpoint> quantised;  ///< what a scheme reads in it; null where there is none
  std::shared_ptr<const Tokenizer> tokenizer;            ///< null where the folder has none
  std::unique_ptr<Program> program;
  std::vector<std::string> notes = {};  ///< one-line warnings for stderr
  double load_ms = 0;                   ///< spent in load_model; executables compile later, at their first step

  /// Throws Error naming the folder where it has no tokenizer.
  const Tokenizer& need_tokenizer() const;
};

/// Throws Error: a folder that is not there, a config or a checkpoint that does not fit, tensors that nothing reads, a
/// device that is not there, options outside what the model allows, a plan above `memory`.
LoadedModel load_model(const LoadOptions& options);

/// The names that `LoadOptions::device` knows besides "auto".
std::span<const std::string_view> device_names();
/// The backend that a device's name means. Throws UsageError listing those that exist.
std::shared_ptr<Backend> make_backend(const LoadOptions& options);

/// What a model's graphs need to know of a checkpoint.
TensorIndex index_of(const std::shared_ptr<const Checkpoint>& checkpoint,
                     const std::shared_ptr<const QuantizedCheckpoint>& quantised = nullptr);

}  // namespace braid
