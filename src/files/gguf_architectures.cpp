#include "files/gguf_architectures.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace braid {
namespace {

using enum GgufArrangement;

/// The rows of several tables, one behind another: what architectures share stands once.
template <class Row, size_t... N>
constexpr auto joined(const std::array<Row, N>&... tables) {
  std::array<Row, (N + ...)> rows;
  auto* next = rows.data();
  ((next = std::ranges::copy(tables, next).out), ...);
  return rows;
}
template <size_t N>
constexpr std::array<GgufKey, N> keys(const GgufKey (&rows)[N]) {
  return std::to_array(rows);
}
template <size_t N>
constexpr std::array<GgufName, N> names(const GgufName (&rows)[N]) {
  return std::to_array(rows);
}

// ---- keys, in the order in which the converter writes them

constexpr auto kContext = keys({{"context_length", "max_position_embeddings"}});
constexpr auto kSizes = keys({{"embedding_length", "hidden_size"},
                              {"block_count", "num_hidden_layers"},
                              {"feed_forward_length", "intermediate_size"},
                              {"attention.head_count", "num_attention_heads"}});
constexpr auto kKeyHeads = keys({{"attention.head_count_kv", "num_key_value_heads"}});
constexpr auto kRmsNorm = keys({{"attention.layer_norm_rms_epsilon", "rms_norm_eps", true}});
constexpr auto kWindow = keys({{"attention.sliding_window", "sliding_window"}});
constexpr auto kRopeBase = keys({{"rope.freq_base", "rope_theta", true}});

constexpr auto kDecoder =
    joined(kContext, kSizes, kKeyHeads, keys({{"attention.key_length", "head_dim"}}), kRmsNorm, kRopeBase);
constexpr auto kMixtral =
    joined(kDecoder, keys({{"expert_count", "num_local_experts"}, {"expert_used_count", "num_experts_per_tok"}}));
constexpr auto kGptOss = joined(kMixtral, kWindow);
constexpr auto kGemma2 = joined(kDecoder, keys({{"rope.freq_base_swa", "rope_local_base_freq", true}}), kWindow,
                                keys({{"attn_logit_softcapping", "attn_logit_softcapping", true},
                                      {"final_logit_softcapping", "final_logit_softcapping", true}}));
constexpr auto kPhi3 =
    joined(kContext, keys({{"rope.scaling.original_context_length", "original_max_position_embeddings"}}), kSizes,
           kKeyHeads, kRmsNorm, kWindow, kRopeBase);
constexpr auto kBert = joined(kContext, kSizes, keys({{"attention.layer_norm_epsilon", "layer_norm_eps", true}}));
constexpr auto kGpt2 = keys({{"context_length", "n_positions"},
                             {"embedding_length", "n_embd"},
                             {"block_count", "n_layer"},
                             {"feed_forward_length", "n_inner"},
                             {"attention.head_count", "n_head"},
                             {"attention.layer_norm_epsilon", "layer_norm_epsilon", true}});

// ---- names of tensors

constexpr auto kEmbedding = names({{"token_embd", "model.embed_tokens"}});
constexpr auto kEnds = joined(kEmbedding, names({{"output_norm", "model.norm"}, {"output", "lm_head"}}));
constexpr auto kNorms = names({{"blk.*.attn_norm", "model.layers.*.input_layernorm"},
                               {"blk.*.ffn_norm", "model.layers.*.post_attention_layernorm"}});
constexpr auto kPairs = names({{"blk.*.attn_q", "model.layers.*.self_attn.q_proj", query_pairs},
                               {"blk.*.attn_k", "model.layers.*.self_attn.k_proj", key_pairs}});
constexpr auto kQueriesKeys =
    names({{"blk.*.attn_q", "model.layers.*.self_attn.q_proj"}, {"blk.*.attn_k", "model.layers.*.self_attn.k_proj"}});
constexpr auto kValues = names({{"blk.*.attn_v", "model.layers.*.self_attn.v_proj"}});
constexpr auto kAttended = names({{"blk.*.attn_output", "model.layers.*.self_attn.o_proj"}});
constexpr auto kDown = names({{"blk.*.ffn_down", "model.layers.*.mlp.down_proj"}});
constexpr auto kMlp = joined(
    names({{"blk.*.ffn_gate", "model.layers.*.mlp.gate_proj"}, {"blk.*.ffn_up", "model.layers.*.mlp.up_proj"}}), kDown);

constexpr auto kLlamaNames = joined(kEnds, kNorms, kPairs, kValues, kAttended, kMlp);
constexpr auto kMixtralNames =
    joined(kEnds, kNorms, kPairs, kValues, kAttended,
           names({{"blk.*.ffn_gate_inp", "model.layers.*.block_sparse_moe.gate"},
                  {"blk.*.ffn_gate_exps", "model.layers.*.block_sparse_moe.experts.{e}.w1", experts},
                  {"blk.*.ffn_down_exps", "model.layers.*.block_sparse_moe.experts.{e}.w2", experts},
                  {"blk.*.ffn_up_exps", "model.layers.*.block_sparse_moe.experts.{e}.w3", experts}}));
constexpr auto kGptOssNames = joined(kEnds, kQueriesKeys, kValues, kAttended,
                                     names({{"blk.*.attn_norm", "model.layers.*.input_layernorm"},
                                            {"blk.*.attn_sinks.weight", "model.layers.*.self_attn.sinks"},
                                            {"blk.*.post_attention_norm", "model.layers.*.post_attention_layernorm"},
                                            {"blk.*.ffn_gate_inp", "model.layers.*.mlp.router"},
                                            {"blk.*.ffn_gate_exps", "model.layers.*.mlp.experts.gate_proj"},
                                            {"blk.*.ffn_up_exps", "model.layers.*.mlp.experts.up_proj"},
                                            {"blk.*.ffn_down_exps", "model.layers.*.mlp.experts.down_proj"}}));
/// Qwen2, and with its two norms Qwen3.
constexpr auto kQwenNames = joined(kEnds, kNorms, kQueriesKeys, kValues, kAttended, kMlp,
                                   names({{"blk.*.attn_q_norm", "model.layers.*.self_attn.q_norm"},
                                          {"blk.*.attn_k_norm", "model.layers.*.self_attn.k_norm"}}));
/// What Gemmas have in common: the head is tied.
constexpr auto kGemmaParts = joined(
    kEmbedding, kQueriesKeys, kValues, kAttended, kMlp,
    names({{"output_norm", "model.norm", plus_one}, {"blk.*.attn_norm", "model.layers.*.input_layernorm", plus_one}}));
constexpr auto kGemmaNames =
    joined(kGemmaParts, names({{"blk.*.ffn_norm", "model.layers.*.post_attention_layernorm", plus_one}}));
/// Gemma 2, and with norms of queries and keys Gemma 3.
constexpr auto kGemma2Names =
    joined(kGemmaParts, names({{"blk.*.attn_q_norm", "model.layers.*.self_attn.q_norm", plus_one},
                               {"blk.*.attn_k_norm", "model.layers.*.self_attn.k_norm", plus_one},
                               {"blk.*.post_attention_norm", "model.layers.*.post_attention_layernorm", plus_one},
                               {"blk.*.ffn_norm", "model.layers.*.pre_feedforward_layernorm", plus_one},
                               {"blk.*.post_ffw_norm", "model.layers.*.post_feedforward_layernorm", plus_one}}));
constexpr auto kPhi3Names = joined(kEnds, kNorms, kAttended, kDown,
                                   names({{"blk.*.attn_qkv", "model.layers.*.self_attn.qkv_proj"},
                                          {"blk.*.ffn_up", "model.layers.*.mlp.gate_up_proj"}}));
constexpr auto kGpt2Names = names({{"token_embd", "transformer.wte"},
                                   {"position_embd", "transformer.wpe"},
                                   {"output_norm", "transformer.ln_f"},
                                   {"output", "lm_head"},
                                   {"blk.*.attn_norm", "transformer.h.*.ln_1"},
                                   {"blk.*.attn_qkv", "transformer.h.*.attn.c_attn", transposed},
                                   {"blk.*.attn_output", "transformer.h.*.attn.c_proj", transposed},
                                   {"blk.*.ffn_norm", "transformer.h.*.ln_2"},
                                   {"blk.*.ffn_up", "transformer.h.*.mlp.c_fc", transposed},
                                   {"blk.*.ffn_down", "transformer.h.*.mlp.c_proj", transposed}});
constexpr auto kBertNames = names({{"token_embd", "bert.embeddings.word_embeddings"},
                                   {"position_embd", "bert.embeddings.position_embeddings"},
                                   {"token_types", "bert.embeddings.token_type_embeddings"},
                                   {"token_embd_norm", "bert.embeddings.LayerNorm"},
                                   {"blk.*.attn_q", "bert.encoder.layer.*.attention.self.query"},
                                   {"blk.*.attn_k", "bert.encoder.layer.*.attention.self.key"},
                                   {"blk.*.attn_v", "bert.encoder.layer.*.attention.self.value"},
                                   {"blk.*.attn_output", "bert.encoder.layer.*.attention.output.dense"},
                                   {"blk.*.attn_output_norm", "bert.encoder.layer.*.attention.output.LayerNorm"},
                                   {"blk.*.ffn_up", "bert.encoder.layer.*.intermediate.dense"},
                                   {"blk.*.ffn_down", "bert.encoder.layer.*.output.dense"},
                                   {"blk.*.layer_output_norm", "bert.encoder.layer.*.output.LayerNorm"}});

constexpr GgufArchitecture kArchitectures[] = {
    {.name = "llama",
     .model_type = "mixtral",
     .architecture = "MixtralForCausalLM",
     .condition = "expert_count",
     .keys = kMixtral,
     .names = kMixtralNames},
    {.name = "llama",
     .model_type = "llama",
     .architecture = "LlamaForCausalLM",
     .keys = kDecoder,
     .names = kLlamaNames},
    {.name = "qwen2", .model_type = "qwen2", .architecture = "Qwen2ForCausalLM", .keys = kDecoder, .names = kQwenNames},
    {.name = "qwen3", .model_type = "qwen3", .architecture = "Qwen3ForCausalLM", .keys = kDecoder, .names = kQwenNames},
    {.name = "gemma",
     .model_type = "gemma",
     .architecture = "GemmaForCausalLM",
     .keys = kDecoder,
     .names = kGemmaNames},
    {.name = "gemma2",
     .model_type = "gemma2",
     .architecture = "Gemma2ForCausalLM",
     .keys = kGemma2,
     .names = kGemma2Names,
     .largest_layers = 46},
    {.name = "gemma3",
     .model_type = "gemma3_text",
     .architecture = "Gemma3ForCausalLM",
     .fixed = R"("sliding_window_pattern": 6)",
     .keys = kGemma2,
     .names = kGemma2Names,
     .largest_layers = 62},
    {.name = "phi3",
     .model_type = "phi3",
     .architecture = "Phi3ForCausalLM",
     .keys = kPhi3,
     .names = kPhi3Names,
     .special_take_spaces = true},
    {.name = "gpt-oss",
     .model_type = "gpt_oss",
     .architecture = "GptOssForCausalLM",
     .keys = kGptOss,
     .names = kGptOssNames,
     .rope_truncates = false},
    {.name = "gpt2",
     .model_type = "gpt2",
     .architecture = "GPT2LMHeadModel",
     .keys = kGpt2,
     .names = kGpt2Names,
     .hidden_key = "n_embd",
     .heads_key = "n_head",
     .default_inner = 4},
    // The converter leaves the pooler out: such files are for embeddings.
    {.name = "bert",
     .model_type = "bert",
     .architecture = "BertModel",
     .fixed = R"("add_pooling_layer": false)",
     .keys = kBert,
     .names = kBertNames,
     .causal = false},
};

constexpr std::string_view kExpert = "{e}";

/// The number where the pattern has its star; nothing when the name does not match. A pattern without a star gives "".
std::optional<std::string_view> star_of(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name ? std::optional<std::string_view>("") : std::nullopt;
  const std::string_view head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  if (name.size() <= head.size() + tail.size() || !name.starts_with(head) || !name.ends_with(tail)) return std::nullopt;
  const std::string_view number = name.substr(head.size(), name.size() - head.size() - tail.size());
  if (number.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return number;
}

std::string replaced(std::string_view pattern, std::string_view mark, std::string_view by) {
  std::string text(pattern);
  if (const size_t at = text.find(mark); at != std::string::npos) text.replace(at, mark.size(), by);
  return text;
}

/// "blk.0.attn_q.weight" → "blk.0.attn_q" and ".weight".
std::pair<std::string_view, std::string_view> without_suffix(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::pair(name, std::string_view())
                                       : std::pair(name.substr(0, dot), name.substr(dot));
}

}  // namespace

std::span<const GgufArchitecture> gguf_architectures() { return kArchitectures; }

const GgufArchitecture& gguf_architecture(const GgufMetadata& metadata) {
  constexpr std::string_view kKey = "general.architecture";
  const std::string_view name = metadata.need_text(kKey);
  std::string known;
  for (const GgufArchitecture& row : kArchitectures) {
    const bool holds = row.condition.empty() ||
                       metadata.integer(std::string(row.name) + "." + std::string(row.condition)).value_or(0) != 0;
    if (row.name == name && holds) return row;
    if (known.find(row.name) == std::string::npos) known += " " + std::string(row.name);
  }
  metadata.fail(kKey, "unknown architecture \"" + std::string(name.substr(0, 64)) + "\"", "Braid reads" + known);
}

bool gguf_special_take_spaces(const GgufMetadata& metadata) {
  const std::string_view name = metadata.text("general.architecture").value_or("");
  const auto row = std::ranges::find(kArchitectures, name, &GgufArchitecture::name);
  return row != std::end(kArchitectures) && row->special_take_spaces;
}

std::map<std::string, GgufPlace, std::less<>> gguf_places(const GgufArchitecture& architecture,
                                                          std::span<const std::string> names, int64_t experts) {
  std::map<std::string, GgufPlace, std::less<>> places;
  for (const std::string& name : names) {
    const auto [stem, suffix] = without_suffix(name);
    for (const GgufName& row : architecture.names) {
      if (const auto layer = star_of(row.gguf, name)) places[replaced(row.ours, "*", *layer)] = {name, row.arrangement};
      const auto layer = star_of(row.gguf, stem);
      if (!layer) continue;
      const std::string ours = replaced(row.ours, "*", *layer) + std::string(suffix);
      if (row.arrangement != GgufArrangement::experts) {
        places[ours] = {name, row.arrangement};
        if (row.arrangement == transposed) places[ours + std::string(kTransposed)] = {name, same};
        continue;
      }
      for (int64_t e = 0; e < experts; ++e)
        places[replaced(ours, kExpert, std::to_string(e))] = {name, row.arrangement, e};
    }
  }
  return places;
}

std::optional<GgufPlace> gguf_place(const GgufArchitecture& architecture, std::string_view name) {
  const auto [stem, suffix] = without_suffix(name);
  for (const GgufName& row : architecture.names) {
    if (row.arrangement != GgufArrangement::experts) {
      if (const auto layer = star_of(row.ours, stem))
        return GgufPlace{replaced(row.gguf, "*", *layer) + std::string(suffix), row.arrangement};
      continue;
    }
    // "….*.experts.{e}.w1": the expert's number is the last part but one or two; the layer's the star before it.
    const size_t mark = row.ours.find(kExpert);
    const std::string_view tail = row.ours.substr(mark + kExpert.size());
    if (!stem.ends_with(tail)) continue;
    const std::string_view head = stem.substr(0, stem.size() - tail.size());
    const size_t dot = head.rfind('.');
    if (dot == std::string_view::npos) continue;
    const std::string_view expert = head.substr(dot + 1);
    const auto layer = star_of(row.ours.substr(0, mark), head.substr(0, dot + 1));
    if (!layer || expert.empty() || expert.size() > 9 ||
        expert.find_first_not_of("0123456789") != std::string_view::npos)
      continue;
    return GgufPlace{replaced(row.gguf, "*", *layer) + std::string(suffix), row.arrangement,
                     std::stoll(std::string(expert))};
  }
  return std::nullopt;
}

}  // namespace braid
