// The graphs that families build, from configs alone.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "models/fake_index.h"
#include "models/model.h"
#include "ops/ops.h"

namespace braid {
namespace {

using Names = std::set<std::string>;

constexpr const char* kGpt2 = R"({"model_type": "gpt2", "n_layer": 2})";
constexpr const char* kLlama =
    R"({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 2048, "num_key_value_heads": 4})";
constexpr const char* kMamba = R"({"model_type": "mamba", "num_hidden_layers": 2})";
constexpr const char* kMixtral = R"({"model_type": "mixtral", "num_hidden_layers": 2})";
constexpr const char* kResnet = R"({"model_type": "resnet"})";
constexpr const char* kWhisper = R"({"model_type": "whisper"})";

/// A config that leaves all but the depth to the family's defaults, for every family of the list.
std::vector<std::string> small_configs() {
  std::vector<std::string> configs;
  for (const Family& family : families())
    configs.push_back(R"({"num_hidden_layers": 4, "n_layer": 4, "n_layers": 4, "model_type": ")" +
                      std::string(family.model_type) + "\"}");
  return configs;
}

Names names_of(const Graph& graph, const std::vector<uint32_t>& leaves) {
  Names names;
  for (const uint32_t n : leaves) names.insert(graph.node(n).attrs.text("name"));
  return names;
}

Graph build(const char* text, std::string_view entry, const EntryOptions& options = {}) {
  return make_model(test::config_of(text), test::random_index(Format::bf16)).build(entry, options);
}

class Families : public testing::TestWithParam<std::string> {};

TEST_P(Families, BuildEveryEntryFromAConfigAlone) {
  for (const Format format : {Format::bf16, Format::q8_0}) {
    const Model model = make_model(test::config_of(GetParam()), test::random_index(format));
    ASSERT_FALSE(model.entries.empty());
    for (const std::string& entry : model.entries)
      for (const bool stateful : {false, true}) {
        // Cacheless with hidden states, or with states and without them.
        const Graph graph = model.build(entry, {.stateful = stateful, .hidden_states = !stateful, .max_pages = 8});
        EXPECT_FALSE(graph.outputs().empty());
        EXPECT_NO_THROW(verify(graph));
        const Names inputs = names_of(graph, graph.inputs());
        EXPECT_EQ(inputs.size(), graph.inputs().size());
        for (const uint32_t uses : graph.use_counts()) EXPECT_GT(uses, 0u) << model.family;
      }
  }
}

TEST_P(Families, RefuseAnEntryThatTheyDoNotHave) {
  const Model model = make_model(test::config_of(GetParam()), test::random_index(Format::bf16));
  EXPECT_THROW(model.build("dream", {}), UsageError);
}

TEST_P(Families, AcceptACheckpointThatHasJustWhatTheirGraphsRead) {
  const Config config = test::config_of(GetParam());
  const Model random = make_model(config, test::random_index(Format::f32));
  std::map<std::string, Type> types;
  for (const std::string& entry : random.entries) types.merge(test::parameters_of(random.build(entry, {})));
  const TensorIndex index = test::index_of(types);
  const Model model = make_model(config, index);
  std::vector<Graph> graphs;
  for (const std::string& entry : model.entries) graphs.push_back(model.build(entry, {}));
  std::vector<const Graph*> pointers;
  for (const Graph& graph : graphs) pointers.push_back(&graph);
  EXPECT_NO_THROW(check_tensors(model, pointers, index));

  types.emplace("model.extra.bias", Type{.shape = {4}, .format = Format::f32});
  const Error error = test::error_of([&] { check_tensors(model, pointers, test::index_of(types)); });
  EXPECT_EQ(error.place().field, "model.extra.bias");
  EXPECT_NE(error.message().find("model.extra.bias"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(, Families, testing::ValuesIn(small_configs()),
                         [](const auto& test) { return test::config_of(test.param).model_type(); });

TEST(FamilyList, IsSortedAndNamesEachFamilyOnce) {
  std::vector<std::string_view> names;
  for (const Family& family : families()) names.push_back(family.model_type);
  EXPECT_TRUE(std::ranges::is_sorted(names) && std::ranges::adjacent_find(names) == names.end());
}

TEST(Graphs, AnEntryHasOnlyTheInputsThatItReads) {
  const Graph stateless = build(kLlama, "decode", {.stateful = false});
  EXPECT_EQ(names_of(stateless, stateless.inputs()), (Names{"token_ids", "positions", "span_start", "rows"}));
  const Graph stateful = build(kLlama, "decode");
  EXPECT_EQ(names_of(stateful, stateful.inputs()),
            (Names{"token_ids", "positions", "span_start", "rows", "context", "page_table"}));
  const Graph mamba = build(kMamba, "decode");
  EXPECT_EQ(names_of(mamba, mamba.inputs()), (Names{"token_ids", "span_start", "rows", "context", "slots"}));
}

TEST(Graphs, StatesAreNamedByTheirScopes) {
  const Graph llama = build(kLlama, "decode", {.cache = Format::bf16, .page_size = 32});
  EXPECT_EQ(names_of(llama, llama.states()), (Names{"model.layers.0.self_attn.k", "model.layers.0.self_attn.v",
                                                    "model.layers.1.self_attn.k", "model.layers.1.self_attn.v"}));
  const Node& k = llama.node(llama.states().front());
  EXPECT_EQ(to_string(k.types.front()), "bf16[pages, 4, 64, 32]");
  EXPECT_EQ(k.attrs.integer("lifetime"), static_cast<int64_t>(Lifetime::token));
  EXPECT_EQ(llama.state_results().size(), 4u);
  EXPECT_TRUE(build(kLlama, "decode", {.stateful = false}).states().empty());
}

TEST(Graphs, WhisperLeavesAndReadsTheSameSourceStates) {
  const Graph encode = build(kWhisper, "encode"), decode = build(kWhisper, "decode", {.stateful = false});
  EXPECT_EQ(names_of(encode, encode.states()), names_of(decode, decode.states()));
  EXPECT_EQ(encode.state_results().size(), encode.states().size());
  EXPECT_EQ(decode.state_results().size(), 0u);
  for (const uint32_t n : encode.states()) {
    // Laid out as one page of keys or values (ops.h: attend_source).
    const bool keys = encode.node(n).attrs.text("name").ends_with(".k");
    EXPECT_EQ(to_string(encode.node(n).types.front()),
              keys ? "f32[source_slots, 6, 64, 1500]" : "f32[source_slots, 6, 1500, 64]");
    EXPECT_EQ(encode.node(n).attrs.integer("lifetime"), static_cast<int64_t>(Lifetime::source));
  }
}

TEST(Graphs, TiedEmbeddingsAreOneParameter) {
  const Graph tied = build(kGpt2, "decode");
  EXPECT_FALSE(names_of(tied, tied.parameters()).contains("lm_head.weight"));
  const Graph apart = build(R"({"model_type": "gpt2", "n_layer": 1, "tie_word_embeddings": false})", "decode");
  EXPECT_TRUE(names_of(apart, apart.parameters()).contains("lm_head.weight"));
}

TEST(Graphs, BiasesFollowTheConfig) {
  const auto biases = [](const char* text) {
    int64_t count = 0;
    const Graph graph = build(text, "decode");
    for (const std::string& name : names_of(graph, graph.parameters())) count += name.ends_with(".bias") ? 1 : 0;
    return count;
  };
  EXPECT_EQ(biases(R"({"model_type": "llama", "num_hidden_layers": 1})"), 0);
  EXPECT_EQ(biases(R"({"model_type": "llama", "num_hidden_layers": 1, "attention_bias": true})"), 4);
  EXPECT_EQ(biases(R"({"model_type": "llama", "num_hidden_layers": 1, "mlp_bias": true})"), 3);
}

TEST(Graphs, ExpertsAreSeparateWeightsReadInPlace) {
  const Graph graph = build(kMixtral, "decode", {.stateful = false});
  int grouped = 0;
  for (const Node& node : graph.nodes()) {
    int experts = 0;
    for (const ValueId input : node.inputs)
      if (graph.node(input).op == &op::parameter &&
          graph.node(input).attrs.text("name").find(".experts.") != std::string::npos)
        ++experts;
    grouped += experts == 8 ? 1 : 0;
    EXPECT_TRUE(experts == 0 || experts == 8);
  }
  EXPECT_EQ(grouped, 2 * 3);
}

TEST(Graphs, LatentAttentionKeepsOneRowPerToken) {
  const Graph graph = build(R"({"model_type": "deepseek_v2", "num_hidden_layers": 1, "first_k_dense_replace": 1})",
                            "decode", {.cache = Format::bf16, .page_size = 32});
  ASSERT_EQ(graph.states().size(), 1u);
  const Node& state = graph.node(graph.states().front());
  EXPECT_EQ(state.attrs.text("name"), "model.layers.0.self_attn.latent");
  EXPECT_EQ(state.types.front(), (Type{.shape = {Symbol::pages, 512 + 64, 32}, .format = Format::bf16}));
}

TEST(Graphs, ExpertsInOneTensorAreCutAtLoad) {
  const Graph graph =
      build(R"({"model_type": "granitemoe", "num_hidden_layers": 1, "num_local_experts": 4})", "decode");
  const Names parameters = names_of(graph, graph.parameters());
  EXPECT_TRUE(parameters.contains("model.layers.0.block_sparse_moe.input_linear.weight"));
  size_t grouped = 0;
  for (const Node& node : graph.nodes())
    if (node.op == &op::contract && node.attrs.integer("grouped") != 0) {
      ++grouped;
      EXPECT_EQ(node.inputs.size(), 2 + 4u);  // rows, offsets, and a matrix per expert
    }
  EXPECT_EQ(grouped, 2u);  // gate and up are one product
}

TEST(Graphs, RecurrentLayersKeepTheirStatesPerSequence) {
  const Graph graph =
      build(R"({"model_type": "qwen3_next", "num_hidden_layers": 4, "num_experts": 16})", "decode", {.max_pages = 4});
  Names sequences, tokens;
  for (const uint32_t n : graph.states()) {
    const Node& state = graph.node(n);
    const bool lasting = state.types.front()[0] == Dim(Symbol::slots);
    (lasting ? sequences : tokens).insert(state.attrs.text("name"));
  }
  EXPECT_EQ(sequences, (Names{"model.layers.0.linear_attn.conv", "model.layers.0.linear_attn.delta",
                              "model.layers.1.linear_attn.conv", "model.layers.1.linear_attn.delta",
                              "model.layers.2.linear_attn.conv", "model.layers.2.linear_attn.delta"}));
  EXPECT_EQ(tokens, (Names{"model.layers.3.self_attn.k", "model.layers.3.self_attn.v"}));
}

TEST(Graphs, ImagesAndWindowsOfTheWrongShapeAreRefused) {
  EXPECT_THROW(build(kResnet, "forward", {.source = {1, 224, 224}}), UsageError);
  EXPECT_THROW(build(kResnet, "forward", {.source = {224, 224}}), UsageError);
  EXPECT_THROW(build(kWhisper, "encode", {.source = {80, 2000}}), UsageError);
  EXPECT_NO_THROW(build(kResnet, "forward", {.source = {3, 64, 72}}));
  EXPECT_NO_THROW(build(kWhisper, "encode", {.source = {80, 3000}}));
}

TEST(CheckTensors, StaleTensorsMayLieInTheFile) {
  const Config config = test::config_of(kGpt2);
  const Model random = make_model(config, test::random_index(Format::f32));
  const Graph graph = random.build("decode", {});
  auto types = test::parameters_of(graph);
  types.emplace("transformer.h.0.attn.bias", Type{.shape = {1, 1, 8, 8}, .format = Format::u8});
  types.emplace("lm_head.weight", Type{.shape = {50257, 768}, .format = Format::f32});
  const Graph* const graphs[] = {&graph};
  EXPECT_NO_THROW(check_tensors(random, graphs, test::index_of(types)));
}

TEST(CheckTensors, ManyUnreadTensorsAreCountedAndTheFirstFiveNamed) {
  const Model model = make_model(test::config_of(kGpt2), test::random_index(Format::f32));
  std::map<std::string, Type> types;
  for (int i = 0; i < 9; ++i) types.emplace("x." + std::to_string(i), Type{});
  const Error error = test::error_of([&] { check_tensors(model, {}, test::index_of(types)); });
  EXPECT_NE(error.message().find("4 more"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("x.4"), std::string::npos);
  EXPECT_EQ(error.message().find("x.5"), std::string::npos);
}

}  // namespace
}  // namespace braid
