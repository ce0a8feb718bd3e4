#pragma once
// What llama.cpp's converter does to each architecture, as tables: metadata and config keys, names of tensors, and how
// their numbers were rearranged. Reading undoes it, writing does it again.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "files/config.h"
#include "files/gguf.h"

namespace braid {

/// How a tensor of the file comes from the family's.
enum class GgufArrangement : uint8_t {
  same,
  /// Rows of a head (0 … d/2−1, d/2 … d−1) lie as pairs (0, d/2, 1, d/2+1, …): llama.cpp rotates neighbours.
  query_pairs,  ///< in each of the attention.head_count heads
  key_pairs,    ///< in each of the attention.head_count_kv heads
  plus_one,     ///< a norm's weight w is stored as 1 + w
  transposed,   ///< (inputs, outputs) of transformers' Conv1D is stored as (outputs, inputs); vectors stay
  experts,      ///< one tensor for each expert ("{e}") is one tensor (experts, …)
};

struct GgufKey {
  std::string_view gguf;    ///< behind "ARCHITECTURE."
  std::string_view config;  ///< in config.json
  bool real = false;        ///< FLOAT32; else an integer
};

struct GgufName {
  std::string_view gguf;  ///< "blk.*.attn_q"; ".weight" or ".bias" follows, unless it is there already
  std::string_view ours;  ///< "model.layers.*.self_attn.q_proj"
  GgufArrangement arrangement = GgufArrangement::same;
};

struct GgufArchitecture {
  std::string_view name;        ///< general.architecture
  std::string_view model_type;  ///< of config.json
  std::string_view architecture;
  std::string_view condition = {};  ///< a key that must be there and not 0; empty: none
  std::string_view fixed = {};      ///< members of config.json that every file of this architecture means
  std::span<const GgufKey> keys;
  std::span<const GgufName> names;
  /// Gemma's configs say by what queries are scaled, its files do not: llama.cpp knows the largest model of either
  /// generation by this number of layers and scales by width / heads there, elsewhere by the head's size. 0: no Gemma.
  int64_t largest_layers = 0;
  /// Where the config calls them otherwise than HeadKeys does.
  std::string_view hidden_key = {}, heads_key = {};
  int64_t default_inner = 0;         ///< an absent width of the inner layer is this many times the width
  bool rope_truncates = true;        ///< yarn's range is rounded to whole dimensions; files do not say so
  bool causal = true;                ///< else the file says so
  bool special_take_spaces = false;  ///< its special tokens take the spaces behind them along; files do not say so
};
std::span<const GgufArchitecture> gguf_architectures();

/// Of a file. Throws Error naming the architecture and those that are known.
const GgufArchitecture& gguf_architecture(const GgufMetadata& metadata);

/// The column of that name; false for architectures that are not in the table (a vocabulary can be read all the same).
bool gguf_special_take_spaces(const GgufMetadata& metadata);

/// Tensors that say what other files have in their config: gguf_config reads them.
inline constexpr std::string_view kGgufConfigTensors[] = {"rope_freqs.weight", "rope_factors_long.weight",
                                                          "rope_factors_short.weight"};

/// Where a tensor of the family lies in the file.
struct GgufPlace {
  std::string name;
  GgufArrangement arrangement = GgufArrangement::same;
  int64_t expert = 0;  ///< of experts
};
/// Behind a name: the tensor's transpose, which the file holds as it is (and quantised, where it cannot be transposed).
inline constexpr std::string_view kTransposed = "^T";

/// By the family's name: all that the file's tensors stand for. `experts`: how many a tensor of experts holds.
std::map<std::string, GgufPlace, std::less<>> gguf_places(const GgufArchitecture& architecture,
                                                          std::span<const std::string> names, int64_t experts);
/// The other way: what a tensor of the family is called in a file, and how it is arranged. Nothing when the tables do
/// not say.
std::optional<GgufPlace> gguf_place(const GgufArchitecture& architecture, std::string_view name);

/// What config.json would say. Throws Error naming the metadata key that is missing or wrong.
Config gguf_config(const GgufMetadata& metadata, std::span<const TensorFile> files, const Limits& limits = {});

}  // namespace braid
