#include "tasks/load.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "backend/cpu/backend.h"
#include "backend/null/backend.h"
#include "backend/oracle/backend.h"
#include "core/error.h"
#include "files/gguf_architectures.h"
#include "models/gguf_index.h"
#include "tasks/gguf_tokenizer.h"
#include "tasks/settings.h"
#include "tasks/sources.h"
#include "text/tokenizer.h"

namespace braid {
namespace {

/// The format of random weights: what products will read, so that nothing is converted; else the config's.
Format random_format(const LoadOptions& options, const Config& config) {
  return options.rewrite.weights.value_or(config.dtype().value_or(Format::bf16));
}

/// Every checkpoint tensor that the model's graphs read.
std::map<std::string, Type, std::less<>> parameter_types(const Model& model, const LoadOptions& options) {
  std::map<std::string, Type, std::less<>> types;
  for (const std::string& entry : model.entries) {
    const Graph graph = model.build(entry, {.stateful = options.stateful, .source = options.source});
    for (const uint32_t n : graph.parameters()) types.emplace(graph.node(n).attrs.text("name"), graph.node(n).types[0]);
  }
  return types;
}

/// As much room as the settings ask for.
void fit(ProgramOptions& wanted, const LoadOptions& options, const GenerationConfig& own) {
  const GenerationConfig settings = settings_of(*options.generation, own);
  wanted.sequences = std::max(wanted.sequences, options.requests * width_of(settings));
  if (options.written_tokens == 0) return;
  wanted.source_tokens = std::min(wanted.source_tokens, wanted.context);
  constexpr int64_t kBegin = 1;  // the decoder's first token
  const int64_t most = new_tokens(settings, kBegin).value_or(options.written_tokens);
  wanted.context = std::min(wanted.context, kBegin + std::max<int64_t>(1, most));
}

ProgramOptions program_options(const LoadOptions& options, const Model& model) {
  int64_t longest = kDefaultContext;
  for (const int64_t bound : {model.max_positions, model.default_context})
    if (bound > 0) longest = std::min(longest, bound);
  return {.rewrite = options.rewrite,
          .context = options.context != 0 ? options.context : longest,
          .sequences = options.sequences,
          .step_tokens = options.step_tokens,
          .rows = options.rows,
          .hidden_states = options.hidden_states,
          .stateful = options.stateful,
          .strict = options.strict,
          .source_tokens = options.source_tokens,
          .source = options.source};
}

void check_all_read(Program& program, const TensorIndex& index) {
  std::vector<const Graph*> graphs;
  for (const std::string& entry : program.model().entries) graphs.push_back(&program.graph(entry));
  check_tensors(program.model(), graphs, index);
}

void check_memory(Program& program, uint64_t most) {
  const MemoryPlan plan = program.plan();
  if (plan.total_bytes() <= most) return;
  throw Error("the model needs " + std::to_string(plan.total_bytes()) + " bytes (weights " +
                  std::to_string(plan.weights_bytes) + ", states " + std::to_string(plan.state_bytes) + ", arenas " +
                  std::to_string(plan.arena_bytes) + "), more than the " + std::to_string(most) + " allowed",
              {.file = {}, .field = "memory", .offset = {}}, "give a smaller context, or a smaller format of weights");
}

/// The file that was named, where it is one with weights; else those of the folder.
std::shared_ptr<const Checkpoint> open_checkpoint(const ModelFolder& place) {
  const bool one_file = place.file.ends_with(".safetensors") || is_gguf(place.file);
  return std::make_shared<const Checkpoint>(Checkpoint::open(one_file ? place.file : place.folder));
}

std::shared_ptr<const Tokenizer> tokenizer_of(const ModelFolder& place) {
  if (is_gguf(place.file)) {
    const GgufModel model = GgufModel::open(place.file, false);
    return has_gguf_tokenizer(model.metadata()) ? std::make_shared<const Tokenizer>(gguf_tokenizer(model.metadata()))
                                                : nullptr;
  }
  if (!Tokenizer::is_in(place.folder)) return nullptr;
  return std::make_shared<const Tokenizer>(Tokenizer::load(place.folder));
}

}  // namespace

const Tokenizer& LoadedModel::need_tokenizer() const {
  if (!tokenizer)
    throw Error("the model has no tokenizer", {.file = place.folder, .field = "tokenizer.json", .offset = {}},
                "give token ids instead of text");
  return *tokenizer;
}

std::span<const std::string_view> device_names() {
  static constexpr std::string_view kNames[] = {"cpu", "oracle", "null"};
  return kNames;
}

std::shared_ptr<Backend> make_backend(const LoadOptions& options) {
  if (options.device == "auto" || options.device == "cpu")
    return cpu::make_cpu_backend({.threads = options.threads, .isa = options.isa});
  if (options.device == "oracle") return std::make_shared<oracle::OracleBackend>();
  if (options.device == "null") return std::make_shared<null::NullBackend>();
  throw UsageError("the device " + options.device + " is not there", {.file = {}, .field = "device", .offset = {}},
                   "give auto, cpu, oracle or null");
}

TensorIndex index_of(const std::shared_ptr<const Checkpoint>& checkpoint,
                     const std::shared_ptr<const QuantizedCheckpoint>& quantised) {
  if (checkpoint->gguf()) return gguf_index(checkpoint, quantised);
  return {.file = checkpoint->path(),
          .names = quantised ? quantised->names() : checkpoint->names(),
          .find = [checkpoint, quantised](std::string_view name) -> std::optional<Type> {
            if (const CodedWeight* weight = quantised ? quantised->find(name) : nullptr) return weight->type();
            const TensorEntry* entry = checkpoint->entry(name);
            if (entry == nullptr) return std::nullopt;
            return Type{.shape = Shape(entry->shape.begin(), entry->shape.end()), .format = entry->format};
          },
          .expression = {},
          .ordered = [quantised](std::string_view name) -> std::optional<TensorIndex::Ordered> {
            const CodedWeight* weight = quantised ? quantised->find(name) : nullptr;
            if (weight == nullptr || weight->order.empty()) return std::nullopt;
            return TensorIndex::Ordered{weight->type(true), weight->order};
          },
          .random = {}};
}

LoadedModel load_model(const LoadOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const ModelFolder place = resolve_model(options.model);
  // Vocabularies take as long to read as everything else together.
  std::future<std::shared_ptr<const Tokenizer>> tokenizer =
      std::async(std::launch::async, [&place] { return tokenizer_of(place); });

  const bool gguf = is_gguf(place.file);
  std::shared_ptr<const Checkpoint> checkpoint;
  if (gguf) checkpoint = open_checkpoint(place);  // its metadata are the config
  const Config config = gguf ? gguf_config(*checkpoint->gguf(), checkpoint->files()) : Config::read(place.folder);
  TensorIndex index;
  std::shared_ptr<const QuantizedCheckpoint> quantised;
  if (options.random_seed) {
    index.file = place.folder;
    index.random = random_format(options, config);
    checkpoint = nullptr;
  } else {
    if (!checkpoint) checkpoint = open_checkpoint(place);
    quantised = gguf ? QuantizedCheckpoint::open(checkpoint) : QuantizedCheckpoint::open(config, checkpoint);
    index = index_of(checkpoint, quantised);
  }
  Model model = make_model(config, index, options.purpose);

  std::shared_ptr<ParameterSource> source;
  if (checkpoint)
    source = std::make_shared<CheckpointSource>(checkpoint, quantised);
  else
    source = std::make_shared<RandomSource>(*options.random_seed, parameter_types(model, options));
  GenerationConfig generation = gguf ? GenerationConfig::from(nullptr, config, model.vocabulary)
                                     : GenerationConfig::read(place.folder, config, model.vocabulary);
  ProgramOptions wanted = program_options(options, model);
  if (options.generation) fit(wanted, options, generation);
  auto program = std::make_unique<Program>(std::move(model), options.backend ? options.backend : make_backend(options),
                                           std::move(source), wanted);
  if (checkpoint) check_all_read(*program, index);
  if (options.memory) check_memory(*program, *options.memory);

  LoadedModel loaded{.place = place,
                     .config = config,
                     .generation = std::move(generation),
                     .checkpoint = std::move(checkpoint),
                     .quantised = std::move(quantised),
                     .tokenizer = tokenizer.get(),
                     .program = std::move(program),
                     .notes = config.notes()};
  if (loaded.tokenizer) std::ranges::copy(loaded.tokenizer->notes(), std::back_inserter(loaded.notes));
  loaded.load_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return loaded;
}

}  // namespace braid
