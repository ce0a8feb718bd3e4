// Checkpoints that the field's own tools quantised: every weight bit for bit, and the answers of transformers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/json.h"
#include "files/safetensors.h"
#include "support/kit.h"
#include "tasks/forward.h"
#include "tasks/generate.h"
#include "tasks/inspect.h"

namespace braid {
namespace {

const std::string kCases = "golden/quantised";

struct Case {
  std::filesystem::path folder;
  std::string model;  ///< the folder, or its GGUF file

  explicit Case(const std::string& name) : folder(*test::kit_path(kCases + "/" + name)), model(folder.string()) {
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (is_gguf(entry.path().string())) model = entry.path().string();
  }
  JsonDocument golden() const { return JsonDocument::read((folder / "golden.json").string()); }
};

class QuantisedCheckpoint : public testing::TestWithParam<std::string> {};

TEST_P(QuantisedCheckpoint, HasEveryWeightBitForBit) {
  const Case c(GetParam());
  LoadedModel model = load_model({.model = c.model, .device = "cpu", .threads = 1});
  std::map<std::string, TensorDescription> found;
  for (TensorDescription& tensor : describe_tensors(model, true)) found.emplace(tensor.name, std::move(tensor));
  const JsonDocument golden = c.golden();
  const Json tensors = golden.root().at("tensors");
  ASSERT_GT(tensors.size(), 0u);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string name(tensors.key(i));
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_EQ(found[name].sha256, tensors.value(i).at("sha256").as_string())
        << name << " as " << info(found[name].format).name;
    const Json shape = tensors.value(i).at("shape");
    ASSERT_EQ(found[name].shape.size(), shape.size()) << name;
    for (size_t d = 0; d < shape.size(); ++d) EXPECT_EQ(found[name].shape[d], shape[d].as_int()) << name;
  }
}

double relative_error(const Tensor& ours, const Tensor& theirs) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < theirs.elements(); ++i) {
    const double a = ours.data<float>()[i], b = theirs.data<float>()[i];
    difference += (a - b) * (a - b);
    norm += b * b;
  }
  return std::sqrt(difference / norm);
}

TEST_P(QuantisedCheckpoint, AnswersAsTransformersDidWithItsWeights) {
  const Case c(GetParam());
  const SafetensorsFile golden = SafetensorsFile::open((c.folder / "golden.safetensors").string());
  const ForwardInputs in =
      ForwardInputs::from(std::vector<NamedTensor>{{"in.input_ids", golden.tensor(*golden.find("in.input_ids"))}});
  const Tensor expected = golden.tensor(*golden.find("out.logits"));
  LoadOptions options = forward_options(in, {.model = c.model, .device = "cpu", .threads = 2});
  options.rewrite.exact = true;
  const LoadedModel model = load_model(options);
  const std::vector<NamedTensor> outputs = forward(*model.program, in);
  ASSERT_EQ(outputs.size(), 1u);
  ASSERT_EQ(outputs[0].tensor.elements(), expected.elements());
  EXPECT_LE(relative_error(outputs[0].tensor, expected), 1e-5);
}

TEST_P(QuantisedCheckpoint, WritesTheTokensOfTransformers) {
  const Case c(GetParam());
  const JsonDocument golden = c.golden();
  const Json greedy = golden.root().at("greedy");
  const auto numbers = [](const Json& list) {
    std::vector<int32_t> values;
    for (size_t i = 0; i < list.size(); ++i) values.push_back(static_cast<int32_t>(list[i].as_int()));
    return values;
  };
  const std::vector<int32_t> prompt = numbers(greedy.at("prompt")), tokens = numbers(greedy.at("tokens"));
  LoadOptions options{.model = c.model, .device = "cpu", .threads = 2};
  options.rewrite.exact = true;
  LoadedModel model = load_model(options);
  GenerationConfig settings;
  settings.do_sample = false;  // some tools' files ask for draws
  const GenerateResult result = generate(model, {.prompt_ids = prompt,
                                                 .settings = settings,
                                                 .max_tokens = static_cast<int64_t>(tokens.size()),
                                                 .ignore_eos = true});
  EXPECT_EQ(result.token_ids, tokens);
}

/// Fast kernels quantise activations to 8 bits for some formats: their step, 1/254 of a group's greatest number,
/// through a layer or two leaves the answers alike.
TEST_P(QuantisedCheckpoint, AnswersNearlyTheSameWithFastKernels) {
  const Case c(GetParam());
  const SafetensorsFile golden = SafetensorsFile::open((c.folder / "golden.safetensors").string());
  const ForwardInputs in =
      ForwardInputs::from(std::vector<NamedTensor>{{"in.input_ids", golden.tensor(*golden.find("in.input_ids"))}});
  const LoadOptions options = forward_options(in, {.model = c.model, .device = "cpu", .threads = 2});
  const LoadedModel model = load_model(options);
  const std::vector<NamedTensor> outputs = forward(*model.program, in);
  EXPECT_LE(relative_error(outputs[0].tensor, golden.tensor(*golden.find("out.logits"))), 0.05);
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const std::string& name : test::kit_names(kCases))
    if (test::kit_path(kCases + "/" + name + "/golden.json")) names.push_back(name);
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(QuantisedCheckpoint);
INSTANTIATE_TEST_SUITE_P(Golden, QuantisedCheckpoint, testing::ValuesIn(cases()), test_name);

}  // namespace
}  // namespace braid
