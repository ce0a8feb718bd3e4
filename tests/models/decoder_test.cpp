// Blocks that decoders share, and the classes that a decoder's config may name.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "models/blocks/attention.h"
#include "models/fake_index.h"
#include "ops/ops.h"

namespace braid {
namespace {

std::vector<float> slopes_of(int64_t heads, double scale = 1, double bias_max = 8) {
  Builder b;
  const Tensor& table = b.graph().node(alibi_slopes(b, heads, scale, bias_max).id).attrs.tensor("value");
  return {table.data<float>(), table.data<float>() + table.elements()};
}

TEST(Alibi, SlopesOfAPowerOfTwoAreAGeometricRow) {
  const std::vector<float> slopes = slopes_of(8);
  for (size_t i = 0; i < slopes.size(); ++i) EXPECT_FLOAT_EQ(slopes[i], std::ldexp(1.0f, -static_cast<int>(i) - 1));
}

TEST(Alibi, OtherCountsTakeEverySecondSlopeOfTheNextPower) {
  const std::vector<float> twelve = slopes_of(12), eight = slopes_of(8), sixteen = slopes_of(16);
  for (size_t i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(twelve[i], eight[i]);
  for (size_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(twelve[8 + i], sixteen[2 * i]);
}

TEST(Alibi, ScaleAndGreatestBiasAreTheFamilys) {
  EXPECT_FLOAT_EQ(slopes_of(4, 0.5)[0], 0.125f);     // 2^-2 halved
  EXPECT_FLOAT_EQ(slopes_of(4, 1, 16)[0], 0.0625f);  // 2^(-16/4)
}

std::vector<int64_t> windows(const char* text) {
  return layer_windows(test::config_of(text), 4, [](int64_t i) { return i % 2 == 0; });
}

TEST(LayerWindows, FollowTheListOrElseTheFamilysPattern) {
  EXPECT_EQ(windows(R"({"sliding_window": 8})"), (std::vector<int64_t>{8, 0, 8, 0}));
  EXPECT_EQ(windows(R"({"sliding_window": 8, "layer_types":
                        ["full_attention", "full_attention", "full_attention", "sliding_attention"]})"),
            (std::vector<int64_t>{0, 0, 0, 8}));
}

TEST(LayerWindows, ASlidingLayerNeedsAWindow) {
  EXPECT_NE(test::error_of([] { windows(R"({"sliding_window": null})"); }).message(), "");
}

/// Windows of a graph's attention, layer by layer.
std::vector<int64_t> windows_of(const char* text) {
  const Graph graph = make_model(test::config_of(text), test::random_index(Format::bf16)).build("decode", {});
  std::vector<int64_t> list;
  for (const Node& node : graph.nodes())
    if (node.op == &op::attend) list.push_back(node.attrs.integer_or("window", 0));
  return list;
}

TEST(Decoders, WindowsReachTheGraph) {
  EXPECT_EQ(windows_of(R"({"model_type": "mistral", "num_hidden_layers": 2})"), (std::vector<int64_t>{4096, 4096}));
  EXPECT_EQ(windows_of(R"({"model_type": "mistral", "num_hidden_layers": 2, "sliding_window": null})"),
            (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(windows_of(R"({"model_type": "gemma2", "num_hidden_layers": 3})"), (std::vector<int64_t>{4096, 0, 4096}));
  EXPECT_EQ(windows_of(R"({"model_type": "qwen3", "num_hidden_layers": 3, "use_sliding_window": true,
                           "max_window_layers": 1, "sliding_window": 64})"),
            (std::vector<int64_t>{0, 64, 64}));
  EXPECT_EQ(windows_of(R"({"model_type": "mixtral", "num_hidden_layers": 1, "sliding_window": 32})"),
            (std::vector<int64_t>{32}));
}

TEST(Decoders, ALayerWithoutPositionsIsNotRotated) {
  const auto ropes = [](const char* text) {
    const Graph graph = make_model(test::config_of(text), test::random_index(Format::bf16)).build("decode", {});
    return std::ranges::count_if(graph.nodes(), [](const Node& node) { return node.op == &op::rope; });
  };
  EXPECT_EQ(ropes(R"({"model_type": "smollm3", "num_hidden_layers": 4})"), 6);  // queries and keys of three layers
  EXPECT_EQ(ropes(R"({"model_type": "cohere2", "num_hidden_layers": 4})"), 6);
  EXPECT_EQ(ropes(R"({"model_type": "bloom"})"), 0);
}

Model model_of(const std::string& architecture, Purpose purpose = Purpose::own) {
  return make_model(test::config_of(R"({"model_type": "qwen3", "num_hidden_layers": 1, "num_labels": 7,
                                        "architectures": [")" +
                                    architecture + "\"]}"),
                    test::random_index(Format::bf16), purpose);
}

std::string output_of(const Model& model, const std::string& entry) {
  const Graph graph = model.build(entry, {});
  const Graph::Output& output = graph.outputs().front();
  return output.name + " " + to_string(graph.type(output.value));
}

TEST(Decoders, EachClassGivesWhatItsNameSays) {
  EXPECT_EQ(output_of(model_of("Qwen3ForCausalLM"), "decode"), "logits f32[rows, 151936]");
  EXPECT_EQ(output_of(model_of("Qwen3Model"), "forward"), "last_hidden_state f32[tokens, 4096]");
  EXPECT_EQ(output_of(model_of("Qwen3ForSequenceClassification"), "forward"), "logits f32[sequences, 7]");
  EXPECT_EQ(output_of(model_of("Qwen3ForTokenClassification"), "forward"), "logits f32[tokens, 7]");
}

TEST(Decoders, ForwardEntriesKeepNoStates) {
  for (const char* architecture : {"Qwen3Model", "Qwen3ForSequenceClassification"})
    EXPECT_TRUE(model_of(architecture).build("forward", {.stateful = true}).states().empty());
}

TEST(Decoders, TheFeaturesOfAnyClassAreThoseOfTheBaseClass) {
  for (const char* architecture : {"Qwen3ForCausalLM", "Qwen3Model", "Qwen3ForSequenceClassification"}) {
    const Model model = model_of(architecture, Purpose::features);
    EXPECT_EQ(model.entries, std::vector<std::string>{"forward"});
    EXPECT_EQ(output_of(model, "forward"), "last_hidden_state f32[tokens, 4096]");
  }
}

TEST(Decoders, AClassWithoutFeaturesOfTextsSaysSo) {
  const Error error = test::error_of([] {
    make_model(test::config_of(R"({"model_type": "whisper"})"), test::random_index(Format::bf16), Purpose::features);
  });
  EXPECT_NE(error.message().find("WhisperForConditionalGeneration"), std::string::npos);
}

TEST(Decoders, ABaseModelsFileMayLackThePrefix) {
  const Config config =
      test::config_of(R"({"model_type": "llama", "num_hidden_layers": 1, "architectures": ["LlamaModel"]})");
  std::map<std::string, Type> types;
  for (const auto& [name, type] :
       test::parameters_of(make_model(config, test::random_index(Format::f32)).build("forward", {})))
    types.emplace(name.substr(std::string_view("model.").size()), type);
  EXPECT_NO_THROW(make_model(config, test::index_of(types)).build("forward", {}));
}

}  // namespace
}  // namespace braid
