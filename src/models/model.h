#pragma once
// A family is a function from config to a Model: named entries over one set of parameters and states.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/config.h"
#include "ir/builder.h"

namespace braid {

/// Behind a name: the same weight with its columns in the order of TensorIndex::Ordered.
inline constexpr std::string_view kReordered = "^order";

/// What the graphs need to know of a checkpoint: which tensors it has and of what type.
struct TensorIndex {
  std::string file;                ///< the checkpoint as the user named it, for errors
  std::vector<std::string> names;  ///< of all tensors
  /// Nothing when the checkpoint has no tensor of this name.
  std::function<std::optional<Type>(std::string_view name)> find;
  /// Where a file has other names or another arrangement than the family: the tensor as an expression over the file's,
  /// of the type that `find` gives. Empty: parameters are the file's tensors.
  std::function<Value(Builder&, std::string_view name)> expression = {};
  /// A weight whose columns lie in another order than `find` says (GPTQ's act-order, where groups of scales would lie
  /// scattered): column c is input order[c]. The parameter is called NAME^order. Nothing for other weights.
  struct Ordered {
    Type type;
    std::span<const int32_t> order;
  };
  std::function<std::optional<Ordered>(std::string_view name)> ordered = {};
  /// With random weights every tensor exists in this format (f32 where it is quantised and the tensor is no operand of
  /// a product, or has rows that are no whole number of blocks); then `names` and `find` are not asked.
  std::optional<Format> random;
};

/// How an entry's graph is wanted.
struct EntryOptions {
  /// False: the cacheless form, whole sequences in one step (states of lifetime source stay: encoders write them).
  bool stateful = true;
  bool hidden_states = false;  ///< also the outputs hidden.N (encoder_hidden.N, decoder_hidden.N)
  Format cache = Format::f32;  ///< format of cached keys and values
  int64_t page_size = 64;      ///< tokens per page
  int64_t max_pages = 1;       ///< width of the page table: ceil(context / page_size)
  int64_t source_tokens = 1;   ///< longest source of an encoder of tokens: what a source slot has room for
  /// Sizes of one image (3, height, width) or feature window (mel bins, frames), without the batch; empty: the
  /// config's.
  std::vector<int64_t> source = {};
};

/// A named graph. Step inputs, all optional for an entry, always of these names and types:
///   token_ids, positions, token_type_ids (tokens) i32; span_start (sequences + 1) i32; rows (rows) i32: the tokens
///   whose logits are wanted; context (sequences) i32, page_table, window_table (sequences, max_pages) i32 [lifetime
///   token]; slots (sequences) i32 [lifetime sequence]; source_slot (sequences) i32 [lifetime source]; pixel_values
///   (sequences, C, H, W) f32; input_features (sequences, mel, frames) f32.
/// Outputs are named as in transformers: "logits" ((rows, vocabulary) in decode entries), "last_hidden_state",
/// "pooler_output", "start_logits", … and "hidden.N". An output over tokens is (tokens, …), one per sequence is
/// (sequences, …).
struct Model {
  std::string family;        ///< model_type
  std::string architecture;  ///< class name of the config: "LlamaForCausalLM"
  std::vector<std::string>
      entries;                ///< "decode" (causal and encoder-decoder), "encode", "forward" (one pass, no states)
  int64_t vocabulary = 0;     ///< 0 where there is none
  int64_t max_positions = 0;  ///< longest sequence that the positions allow; 0: no bound
  /// RoBERTa's way to count positions: tokens other than this padding token have the positions padding + 1, padding + 2
  /// …, padding itself has the position `padding`. Absent: 0, 1, 2 …
  std::optional<int32_t> position_padding = {};
  /// Context to take where nobody asks for one: longrope's original one, within which its short factors apply; 0: any.
  int64_t default_context = 0;
  /// The names that a tensor may have in files, by the family's own, which comes first.
  std::function<std::vector<std::string>(const std::string& name)> spellings = {};
  /// Builds an entry's graph. Throws Error naming the config field or the tensor that does not fit.
  std::function<Graph(std::string_view entry, const EntryOptions&)> build;
  /// Checkpoint tensors of this family that no graph reads, by pattern ("*.position_ids").
  std::vector<std::string> stale;
};

/// The positions of a sequence's tokens where nobody gives others.
std::vector<int32_t> default_positions(const Model& model, std::span<const int32_t> token_ids);

struct Blueprint;
struct Family {
  std::string_view model_type;
  Blueprint (*make)(const Config& config);  ///< models/family.h
};
/// All families, in the order of models/list.inc.
std::span<const Family> families();
/// Null for a model_type that no family has. Some have a hyphen ("xlm-roberta") where our names have an underscore.
const Family* find_family(std::string_view model_type);
/// What a model is loaded for: what the class that its config names does, or, whatever head that class has, the
/// features below the head (embeddings of texts): then its entry is "forward" and gives last_hidden_state.
enum class Purpose : uint8_t { own, features };
/// Throws Error naming the model_type and listing near names when there is none; for features, when the class has none.
Model make_model(const Config& config, TensorIndex tensors, Purpose purpose = Purpose::own);
/// Throws Error naming tensors of the checkpoint that none of the model's graphs reads, unless they are stale: a config
/// that leaves a bias or a layer out would otherwise compute something else in silence.
void check_tensors(const Model& model, std::span<const Graph* const> graphs, const TensorIndex& tensors);

}  // namespace braid
