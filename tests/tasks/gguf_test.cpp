// GGUF files as llama.cpp's converter writes them, from the command line's word for a model to numbers and tokens.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "core/error.h"
#include "files/gguf_architectures.h"
#include "files/safetensors.h"
#include "support/gguf_builder.h"
#include "support/kit.h"
#include "tasks/forward.h"
#include "tasks/gguf_tokenizer.h"
#include "tasks/load.h"

namespace braid {
namespace {

double relative_error(const Tensor& ours, const Tensor& theirs) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < theirs.elements(); ++i) {
    const double a = ours.data<float>()[i], b = theirs.data<float>()[i];
    difference += (a - b) * (a - b);
    norm += b * b;
  }
  return std::sqrt(difference / norm);
}

std::string gguf_in(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (is_gguf(entry.path().string())) return entry.path().string();
  return {};
}

bool has_family(const std::string& model_type) {
  return std::ranges::any_of(families(), [&](const Family& family) { return family.model_type == model_type; });
}

class ConvertedCheckpoint : public testing::TestWithParam<std::string> {};

TEST_P(ConvertedCheckpoint, AnswersAsTransformersDid) {
  const auto folder = test::kit_path("golden/" + GetParam());
  if (!folder) GTEST_SKIP() << test::kit_missing("golden/" + GetParam());
  const std::string path = gguf_in(*folder);
  const GgufModel file = GgufModel::open(path);
  const std::string family = gguf_config(file.metadata(), file.files()).model_type();
  if (!has_family(family)) GTEST_SKIP() << "there is no family " << family;

  const SafetensorsFile golden = SafetensorsFile::open((*folder / "golden.safetensors").string());
  std::vector<NamedTensor> inputs;
  for (const TensorEntry& entry : golden.entries()) inputs.push_back({entry.name, golden.tensor(entry)});
  const ForwardInputs in = ForwardInputs::from(inputs);
  LoadOptions options = forward_options(in, {.model = path, .device = "cpu", .threads = 2});
  options.rewrite.exact = true;
  const LoadedModel model = load_model(options);
  int compared = 0;
  for (const NamedTensor& output : forward(*model.program, in)) {
    const TensorEntry* expected = golden.find("out." + output.name);
    if (expected == nullptr) continue;
    EXPECT_LE(relative_error(output.tensor, golden.tensor(*expected)), 1e-5) << output.name;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

std::vector<std::string> converted() {
  std::vector<std::string> cases;
  for (const std::string& name : test::kit_names("golden/gguf"))
    if (name.find('.') == std::string::npos) cases.push_back("gguf/" + name);
  return cases;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name) c = c == '/' || c == '-' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Golden, ConvertedCheckpoint, testing::ValuesIn(converted()), test_name);

TEST(ConvertedCheckpoints, WeightsStayInTheFilesMapUnlessTheyAreRearranged) {
  const auto folder = test::kit_path("golden/gguf/llama");
  ASSERT_TRUE(folder);
  const std::string path = gguf_in(*folder);
  const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(path));
  const TensorIndex index = index_of(checkpoint);
  const auto load_nodes = [&](std::string_view name) {
    Builder builder;
    index.expression(builder, name);
    return builder.graph().nodes().size();
  };
  EXPECT_EQ(load_nodes("model.layers.0.mlp.down_proj.weight"), 1u) << "the parameter alone";
  EXPECT_EQ(load_nodes("model.layers.0.self_attn.v_proj.weight"), 1u);
  EXPECT_GT(load_nodes("model.layers.0.self_attn.q_proj.weight"), 1u) << "rows in pairs";
  EXPECT_EQ(index.find("model.layers.0.self_attn.nothing.weight"), std::nullopt);
}

// ---- vocabularies

struct Vectors {
  std::vector<std::string> texts;
  std::vector<std::vector<int32_t>> ids;
};

/// llama.cpp's texts and ids: texts between marks, a line of ids each.
Vectors read_vectors(const std::string& gguf) {
  constexpr std::string_view kMark = "\n__ggml_vocab_test__\n";
  Vectors vectors;
  const std::string texts = test::read_file(gguf + ".inp");
  for (size_t begin = 0; begin < texts.size();) {
    const size_t end = std::min(texts.find(kMark, begin), texts.size());
    vectors.texts.push_back(texts.substr(begin, end - begin));
    begin = end + kMark.size();
  }
  std::istringstream lines(test::read_file(gguf + ".out"));
  for (std::string line; std::getline(lines, line) && vectors.ids.size() < vectors.texts.size();) {
    std::istringstream numbers(line);
    vectors.ids.emplace_back(std::istream_iterator<int32_t>(numbers), std::istream_iterator<int32_t>());
  }
  return vectors;
}

class GgufVocabularyFile : public testing::TestWithParam<std::string> {};

TEST_P(GgufVocabularyFile, GivesTheIdsOfItsVectors) {
  const std::string name = "data/vocab/" + GetParam() + ".gguf";
  const auto path = test::kit_path(name);
  if (!path) GTEST_SKIP() << test::kit_missing(name);
  const Tokenizer tokenizer = gguf_tokenizer(GgufModel::open(path->string(), false).metadata());
  const Vectors vectors = read_vectors(path->string());
  ASSERT_GT(vectors.texts.size(), 40u);
  ASSERT_EQ(vectors.texts.size(), vectors.ids.size());
  for (size_t i = 0; i < vectors.texts.size(); ++i)
    EXPECT_EQ(tokenizer.encode(vectors.texts[i], {.add_special = false}).ids, vectors.ids[i]) << vectors.texts[i];
}

/// tokenizer.json files that were converted from the same vocabularies: offsets and decoded text as well. (StarCoder's
/// leaves spaces out of offsets, which a GGUF file cannot say.)
TEST_P(GgufVocabularyFile, AgreesWithTheTokenizerJsonOfTheSameVocabulary) {
  const auto gguf = test::kit_path("data/vocab/" + GetParam() + ".gguf");
  const auto json = test::kit_path("data/tokenizers/" + GetParam() + "/tokenizer.json");
  if (!gguf || !json) GTEST_SKIP() << test::kit_missing("data/vocab/" + GetParam() + ".gguf");
  const Tokenizer ours = gguf_tokenizer(GgufModel::open(gguf->string(), false).metadata());
  const Tokenizer theirs = Tokenizer::load(json->string());
  for (const std::string& text : read_vectors(gguf->string()).texts) {
    const Encoding a = ours.encode(text, {.add_special = false}), b = theirs.encode(text, {.add_special = false});
    EXPECT_EQ(a.ids, b.ids) << text;
    if (GetParam() != "starcoder") {
      EXPECT_EQ(a.offsets, b.offsets) << text;
    }
    EXPECT_EQ(ours.decode(a.ids), theirs.decode(b.ids)) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Kit, GgufVocabularyFile,
                         testing::Values("bert-bge", "gpt-2", "llama-spm", "phi-3", "starcoder"), test_name);

TEST(GgufTokenizer, AFileWithoutAVocabularyHasNone) {
  const auto folder = test::kit_path("golden/gguf/llama");
  ASSERT_TRUE(folder);
  const GgufModel file = GgufModel::open(gguf_in(*folder));
  EXPECT_FALSE(has_gguf_tokenizer(file.metadata()));
  EXPECT_THROW(gguf_tokenizer(file.metadata()), Error);
  EXPECT_EQ(load_model({.model = gguf_in(*folder), .device = "oracle"}).tokenizer, nullptr);
}

TEST(GgufTokenizer, Case19ScoresThatAreNoFloatsAreRefused) {
  using namespace test;
  const std::string bytes =
      GgufFile{.values = {gguf_string("tokenizer.ggml.model", "llama"), gguf_strings("tokenizer.ggml.tokens", {"a"}),
                          gguf_numbers<uint8_t>("tokenizer.ggml.scores", kU8, {1})}}
          .bytes();
  const GgufHeader header = GgufHeader::parse(std::as_bytes(std::span(bytes)), "m.gguf", nullptr);
  try {
    gguf_tokenizer(header.metadata);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.place().field, "tokenizer.ggml.scores");
    EXPECT_TRUE(error.place().offset.has_value());
  }
}

}  // namespace
}  // namespace braid
