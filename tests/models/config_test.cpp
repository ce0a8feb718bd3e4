// Bad configs: every family refuses them when the model is made, before any tensor is looked at, naming file and field.

#include <gtest/gtest.h>

#include "core/error.h"
#include "models/fake_index.h"
#include "models/model.h"
#include "ops/ops.h"

namespace braid {
namespace {

struct BadConfig {
  const char* name;
  const char* text;
  const char* field;    ///< the place names it
  const char* message;  ///< the message holds it
};

void PrintTo(const BadConfig& c, std::ostream* out) { *out << c.name; }

class BadConfigs : public testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigs, AreRefusedNamingFileAndField) {
  const Config config = test::config_of(GetParam().text);
  const Error error = test::error_of([&] { make_model(config, test::random_index(Format::f32)); });
  ASSERT_NE(error.message(), "") << "was accepted";
  EXPECT_NE(error.place().file.find("config.json"), std::string::npos) << error.line();
  EXPECT_NE((error.place().field + error.message()).find(GetParam().field), std::string::npos) << error.line();
  EXPECT_NE(error.message().find(GetParam().message), std::string::npos) << error.line();
}

INSTANTIATE_TEST_SUITE_P(
    , BadConfigs,
    testing::Values(
        BadConfig{"NoModelType", R"({"hidden_size": 64})", "model_type", ""},
        BadConfig{"UnknownModelType", R"({"model_type": "lama"})", "model_type", "lama"},
        BadConfig{"OwnCode", R"({"model_type": "lama", "auto_map": {"AutoModel": "x.py"}})", "model_type", "lama"},
        BadConfig{"UnknownArchitecture", R"({"model_type": "llama", "architectures": ["LlamaForQuestionAnswering"]})",
                  "architectures", "LlamaForQuestionAnswering"},
        BadConfig{"NoHeads", R"({"model_type": "llama", "num_attention_heads": 0})", "num_attention_heads", ""},
        BadConfig{"HeadsDoNotDivideTheWidth", R"({"model_type": "llama", "hidden_size": 100})", "num_attention_heads",
                  "divide"},
        BadConfig{"MoreKeyHeadsThanHeads", R"({"model_type": "llama", "num_key_value_heads": 64})",
                  "num_key_value_heads", ""},
        BadConfig{"KeyHeadsDoNotDivideHeads", R"({"model_type": "mixtral", "num_key_value_heads": 5})",
                  "num_key_value_heads", "divide"},
        BadConfig{"NegativeLayers", R"({"model_type": "gpt2", "n_layer": -1})", "n_layer", ""},
        BadConfig{"ABillionLayers", R"({"model_type": "mamba", "num_hidden_layers": 1000000000})", "num_hidden_layers",
                  ""},
        BadConfig{"ZeroRopeFactor", R"({"model_type": "llama", "rope_scaling": {"rope_type": "linear", "factor": 0}})",
                  "factor", ""},
        BadConfig{"TextRopeFactor",
                  R"({"model_type": "llama", "rope_scaling": {"rope_type": "yarn", "factor": "NaN"}})", "factor", ""},
        BadConfig{"UnknownRope", R"({"model_type": "llama", "rope_scaling": {"rope_type": "spiral", "factor": 2}})",
                  "rope_type", "spiral"},
        BadConfig{"EndTokenOutsideTheVocabulary",
                  R"({"model_type": "llama", "vocab_size": 250, "eos_token_id": [2, 250]})", "eos_token_id", "250"},
        BadConfig{"LongropeWithoutFactors",
                  R"({"model_type": "phi3", "rope_scaling": {"type": "longrope", "short_factor": [1]}})", "long_factor",
                  "missing"},
        BadConfig{"UnknownLayerType", R"({"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": ["spiral"]})",
                  "layer_types", "spiral"},
        BadConfig{"LayerTypesForOtherLayers",
                  R"({"model_type": "gemma2", "num_hidden_layers": 2, "layer_types": ["full_attention"]})",
                  "layer_types", "1 types for 2 layers"},
        BadConfig{"ASlidingLayerWithoutAWindow",
                  R"({"model_type": "olmo3", "num_hidden_layers": 1, "layer_types": ["sliding_attention"],
                      "sliding_window": 0})",
                  "sliding_window", ""},
        BadConfig{"AFeatureThatTheGraphDoesNotHave", R"({"model_type": "phi", "qk_layernorm": true})", "qk_layernorm",
                  "true"},
        BadConfig{"BidirectionalGemma", R"({"model_type": "gemma2", "use_bidirectional_attention": true})",
                  "use_bidirectional_attention", "true"},
        BadConfig{"AGeneratorThatSeesTheFuture",
                  R"({"model_type": "gemma3_text", "use_bidirectional_attention": true})", "architectures",
                  "Gemma3ForCausalLM"},
        BadConfig{"AFeatureOfANestedConfig", R"({"model_type": "mpt", "attn_config": {"qk_ln": true}})", "qk_ln",
                  "true"},
        BadConfig{"QuantisedWeights", R"({"model_type": "llama", "quantization_config": {"quant_method": "gptq"}})",
                  "quant_method", "gptq"},
        BadConfig{"UnknownActivation", R"({"model_type": "llama", "hidden_act": "swoosh", "hidden_size": 64})",
                  "hidden_act", "swoosh"},
        BadConfig{"MoreExpertsPerTokenThanThereAre", R"({"model_type": "mixtral", "num_experts_per_tok": 9})",
                  "num_experts_per_tok", ""},
        BadConfig{"NegativeWidth", R"({"model_type": "mamba", "hidden_size": -768})", "hidden_size", ""},
        BadConfig{"TextWhereANumberIsWanted", R"({"model_type": "mamba", "state_size": "16"})", "state_size", ""},
        BadConfig{"BertAsADecoder", R"({"model_type": "bert", "is_decoder": true})", "is_decoder", ""},
        BadConfig{"RelativePositions", R"({"model_type": "bert", "position_embedding_type": "relative_key"})",
                  "position_embedding_type", ""},
        BadConfig{"UnknownChoiceOfExperts", R"({"model_type": "deepseek_v2", "topk_method": "dice"})", "topk_method",
                  "dice"},
        BadConfig{"GroupsDoNotDivideExperts", R"({"model_type": "deepseek_v3", "n_group": 7})", "n_group", "divide"},
        BadConfig{"MoreGroupsKeptThanThereAre", R"({"model_type": "deepseek_v3", "topk_group": 9})", "topk_group", ""},
        BadConfig{"PackedExperts", R"({"model_type": "gpt_oss", "quantization_config": {"quant_method": "mxfp4"}})",
                  "quantization_config", "mxfp4"},
        BadConfig{"HeadsDoNotMakeTheChannels", R"({"model_type": "mamba2", "num_heads": 5})", "num_heads", "channels"},
        BadConfig{"GroupsDoNotDivideHeads", R"({"model_type": "bamba", "mamba_n_groups": 3})", "mamba_n_groups",
                  "divide"},
        BadConfig{"StepLimitsInReverse", R"({"model_type": "mamba2", "time_step_limit": [1, 0.5]})", "time_step_limit",
                  "below"},
        BadConfig{"UnknownHybridLayer",
                  R"({"model_type": "granitemoehybrid", "num_hidden_layers": 1, "layer_types": ["magic"]})",
                  "layer_types", "magic"},
        BadConfig{"TooFewLayerTypes",
                  R"({"model_type": "qwen3_next", "num_hidden_layers": 2, "layer_types": ["full_attention"]})",
                  "layer_types", "1 types"},
        BadConfig{"AttentionInALayerThatIsNot", R"({"model_type": "bamba", "attn_layer_indices": [32]})",
                  "attn_layer_indices", ""},
        BadConfig{"MultipliersOfTheWrongCount", R"({"model_type": "falcon_h1", "ssm_multipliers": [1, 2]})",
                  "ssm_multipliers", "5 numbers"},
        BadConfig{"MillionsOfExperts", R"({"model_type": "olmoe", "num_experts": 4000000})", "num_experts", ""},
        BadConfig{"NoStages", R"({"model_type": "resnet", "hidden_sizes": [], "depths": []})", "hidden_sizes", ""},
        BadConfig{"DepthsWithoutSizes", R"({"model_type": "resnet", "depths": [1, 1, 1]})", "depths", ""},
        BadConfig{"UnknownResnetLayer", R"({"model_type": "resnet", "layer_type": "wide"})", "layer_type", ""},
        BadConfig{"BottleneckOfNoWidth", R"({"model_type": "resnet", "hidden_sizes": [2, 4, 8, 16]})", "hidden_sizes",
                  ""},
        BadConfig{"DecoderHeadsDoNotDivideTheWidth", R"({"model_type": "whisper", "decoder_attention_heads": 5})",
                  "decoder_attention_heads", "divide"}),
    [](const auto& test) { return test.param.name; });

TEST(Configs, OwnCodeOfAKnownFamilyIsIgnoredAndSaid) {
  const Config config = test::config_of(R"({"model_type": "llama", "auto_map": {"AutoModel": "evil.py"}})");
  EXPECT_EQ(make_model(config, test::random_index(Format::f32)).architecture, "LlamaForCausalLM");
  ASSERT_EQ(config.notes().size(), 1u);
  EXPECT_NE(config.notes()[0].find("auto_map"), std::string::npos);
}

TEST(Configs, AnUnknownFamilyIsAnsweredWithNearNames) {
  const auto advice = [](const char* text) {
    return test::error_of([&] { make_model(test::config_of(text), test::random_index(Format::f32)); }).advice();
  };
  EXPECT_NE(advice(R"({"model_type": "qwen4"})").find("qwen3"), std::string::npos);
  const std::string own = advice(R"({"model_type": "gemma9", "auto_map": {"AutoModel": "x.py"}})");
  EXPECT_NE(own.find("gemma2"), std::string::npos);
  EXPECT_NE(own.find("never run"), std::string::npos);
  EXPECT_NE(advice(R"({"model_type": "zzzzzzzzzzzz"})").find("llama"), std::string::npos);  // nothing near: all of them
}

TEST(Configs, Case28AVocabularyThatIsNotTheEmbeddingsRowsIsRefusedAtVocabSize) {
  const Config config =
      test::config_of(R"({"model_type": "gpt2", "vocab_size": 50257, "n_layer": 1, "n_embd": 8, "n_head": 2})");
  const Model random = make_model(config, test::random_index(Format::f32));
  auto types = test::parameters_of(random.build("decode", {}));
  types["transformer.wte.weight"].shape[0] = Dim(50258);
  const Model model = make_model(config, test::index_of(types));
  const Error error = test::error_of([&] { model.build("decode", {}); });
  EXPECT_EQ(error.place().file, "config.json");
  EXPECT_EQ(error.place().field, "vocab_size");
  EXPECT_EQ(error.message(), "the vocabulary of 50257 is not the 50258 rows of transformer.wte.weight");
}

TEST(Configs, AnotherWidthThanTheEmbeddingsIsRefusedAtTheTensor) {
  const Config config =
      test::config_of(R"({"model_type": "gpt2", "vocab_size": 50257, "n_layer": 1, "n_embd": 8, "n_head": 2})");
  const Model random = make_model(config, test::random_index(Format::f32));
  auto types = test::parameters_of(random.build("decode", {}));
  types["transformer.wte.weight"].shape[1] = Dim(9);
  const Model model = make_model(config, test::index_of(types));
  const Error error = test::error_of([&] { model.build("decode", {}); });
  EXPECT_EQ(error.place().field, "transformer.wte.weight");
  EXPECT_NE(error.message().find("[50257, 9]"), std::string::npos);
  EXPECT_NE(error.message().find("[50257, 8]"), std::string::npos);
}

TEST(Configs, InfinityAsPythonWritesItBoundsNothing) {
  const auto minima_of = [](const char* limit) {
    const std::string text = R"({"model_type": "mamba2", "num_hidden_layers": 1, "time_step_limit": [0.0, )" +
                             std::string(limit) + R"(], "note": "\\\"Infinity is a word\" here"})";
    const Graph graph = make_model(test::config_of(text), test::random_index(Format::f32)).build("decode", {});
    size_t count = 0;
    for (const Node& node : graph.nodes()) count += node.op == &op::minimum ? 1 : 0;
    return count;
  };
  EXPECT_EQ(minima_of("Infinity"), 0u);
  EXPECT_EQ(minima_of(R"({"__float__": "Infinity"})"), 0u);
  EXPECT_EQ(minima_of("0.5"), 1u);
  EXPECT_NE(test::error_of([&] { minima_of("-Infinity"); }).message(), "");
  EXPECT_NE(test::error_of([&] { minima_of("NaN"); }).message(), "");
}

TEST(Configs, MissingKeysAreTheDefaultsOfTheModelType) {
  const auto model = [](const char* text) {
    return make_model(test::config_of(text), test::random_index(Format::bf16));
  };
  EXPECT_EQ(model(R"({"model_type": "llama"})").vocabulary, 32000);
  EXPECT_EQ(model(R"({"model_type": "gpt2"})").max_positions, 1024);
  EXPECT_EQ(model(R"({"model_type": "bert"})").architecture, "BertModel");
  EXPECT_EQ(model(R"({"model_type": "whisper"})").max_positions, 448);
  EXPECT_EQ(model(R"({"model_type": "mixtral", "sliding_window": 4096})").max_positions, 131072);
  EXPECT_EQ(model(R"({"model_type": "mamba"})").max_positions, 0);
}

}  // namespace
}  // namespace braid
