// What encoders share: heads chosen by class, positions that count from the padding token, parts that files may lack.

#include <gtest/gtest.h>

#include "core/error.h"
#include "models/fake_index.h"
#include "models/scope.h"

namespace braid {
namespace {

Model random_model(const std::string& config) {
  return make_model(Config::parse(config, "config.json"),
                    {.file = "config.json", .names = {}, .find = {}, .random = Format::f32});
}

std::string config_of(const std::string& type, const std::string& architecture) {
  return R"({"model_type": ")" + type + R"(", "architectures": [")" + architecture +
         R"("], "hidden_size": 8, "dim": 8, "embedding_size": 8, "num_attention_heads": 2, "n_heads": 2,
            "num_hidden_layers": 1, "n_layers": 1, "intermediate_size": 16, "hidden_dim": 16, "vocab_size": 30,
            "max_position_embeddings": 12, "type_vocab_size": 2, "pad_token_id": 1, "num_labels": 3})";
}

std::vector<std::string> outputs_of(const Model& model) {
  std::vector<std::string> names;
  const Graph graph = model.build("forward", {});
  for (const Graph::Output& output : graph.outputs()) names.push_back(output.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(EncoderHeads, AreChosenByTheClassThatTheConfigNames) {
  EXPECT_EQ(outputs_of(random_model(config_of("bert", "BertModel"))), (Names{"last_hidden_state", "pooler_output"}));
  EXPECT_EQ(outputs_of(random_model(config_of("distilbert", "DistilBertModel"))), (Names{"last_hidden_state"}));
  EXPECT_EQ(outputs_of(random_model(config_of("electra", "ElectraForSequenceClassification"))), (Names{"logits"}));
  EXPECT_EQ(outputs_of(random_model(config_of("albert", "AlbertForQuestionAnswering"))),
            (Names{"start_logits", "end_logits"}));
}

TEST(EncoderHeads, OfAnUnknownClassAreRefusedWithThoseThatThereAre) {
  try {
    random_model(config_of("roberta", "RobertaForMultipleChoice"));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.place().field, "architectures");
    EXPECT_NE(error.line().find("RobertaForSequenceClassification"), std::string::npos) << error.line();
  }
}

TEST(EncoderHeads, ReadTheVocabularyOnlyAtTheRowsThatAreWanted) {
  const Graph graph = random_model(config_of("bert", "BertForMaskedLM")).build("forward", {});
  EXPECT_EQ(graph.type(graph.outputs().front().value).shape, (Shape{Symbol::rows, 30}));
}

TEST(ModelTypes, MayHaveHyphens) {
  EXPECT_EQ(random_model(config_of("xlm-roberta", "XLMRobertaModel")).family, "xlm-roberta");
}

TEST(DefaultPositions, CountFromThePaddingTokenAndLeaveItOut) {
  const Model roberta = random_model(config_of("roberta", "RobertaModel"));
  EXPECT_EQ(roberta.max_positions, 10);  // of 12, those of id 0 and of the padding are never used
  const std::vector<int32_t> ids{1, 5, 6, 1, 7};
  EXPECT_EQ(default_positions(roberta, ids), (std::vector<int32_t>{1, 2, 3, 1, 4}));
  EXPECT_EQ(default_positions(random_model(config_of("bert", "BertModel")), ids),
            (std::vector<int32_t>{0, 1, 2, 3, 4}));
}

TEST(DefaultPositions, NeedATableThatReachesBehindThePaddingToken) {
  std::string config = config_of("roberta", "RobertaModel");
  config.replace(config.find("\"pad_token_id\": 1"), 17, "\"pad_token_id\": 11");
  EXPECT_THROW(random_model(config), Error);
}

}  // namespace
}  // namespace braid
