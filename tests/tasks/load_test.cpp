#include "tasks/load.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "files/safetensors.h"
#include "formats/formats.h"
#include "support/kit.h"
#include "tasks/generate.h"
#include "tasks/sources.h"

namespace braid {
namespace {

namespace fs = std::filesystem;
const std::string kLlama = "golden/text/llama-bias";

std::string kit(const std::string& path) { return test::kit_path(path).value().string(); }

std::string message_of(const LoadOptions& options) {
  try {
    load_model(options);
  } catch (const Error& error) {
    return error.line();
  }
  return "loaded";
}

TEST(LoadModel, TellsAModelWithoutATokenizerFromOneWithIt) {
  const LoadedModel books = load_model({.model = kit("models/books-4m"), .device = "oracle"});
  EXPECT_NE(books.tokenizer, nullptr);
  EXPECT_EQ(books.generation.eos_token_ids, (std::vector<int64_t>{1}));
  EXPECT_EQ(books.program->options().context, 2048) << "the model's positions";
  EXPECT_GT(books.load_ms, 0);
  const LoadedModel llama = load_model({.model = kit(kLlama), .device = "oracle"});
  EXPECT_EQ(llama.tokenizer, nullptr);
  EXPECT_THROW(llama.need_tokenizer(), Error);
}

TEST(LoadModel, ATensorThatNoGraphReadsIsAnError) {
  const test::TempDirectory folder;
  const SafetensorsFile file = SafetensorsFile::open(kit(kLlama) + "/model.safetensors");
  std::vector<NamedTensor> tensors;
  for (const SafetensorsEntry& entry : file.entries()) tensors.push_back({entry.name, file.tensor(entry)});
  fs::copy_file(kit(kLlama) + "/config.json", folder / "config.json");
  write_safetensors((folder / "model.safetensors").string(), tensors);
  EXPECT_EQ(message_of({.model = folder.path().string(), .device = "oracle"}), "loaded");
  tensors.push_back({"model.layers.0.self_attn.q_norm.weight", Tensor::make({4}, Format::f32)});
  write_safetensors((folder / "model.safetensors").string(), tensors);
  const std::string message = message_of({.model = folder.path().string(), .device = "oracle"});
  EXPECT_NE(message.find("q_norm.weight"), std::string::npos) << message;
}

TEST(LoadModel, NamesWhatIsWrong) {
  EXPECT_NE(message_of({.model = "no/such/model"}).find("no/such/model"), std::string::npos);
  EXPECT_NE(message_of({.model = kit(kLlama), .device = "cuda:7"}).find("cuda:7"), std::string::npos);
  EXPECT_NE(message_of({.model = kit(kLlama), .device = "oracle", .context = 1 << 30}).find("positions"),
            std::string::npos);
}

TEST(LoadModel, RefusesAPlanAboveTheMemoryThatIsAllowed) {
  const LoadOptions options{.model = kit("models/books-4m"), .device = "cpu"};
  const uint64_t needed = load_model(options).program->plan().total_bytes();
  LoadOptions enough = options, short_of_one = options;
  enough.memory = needed;
  short_of_one.memory = needed - 1;
  EXPECT_EQ(message_of(enough), "loaded");
  const std::string message = message_of(short_of_one);
  EXPECT_NE(message.find("needs " + std::to_string(needed) + " bytes"), std::string::npos) << message;
}

TEST(LoadModel, RandomWeightsNeedAConfigOnly) {
  const test::TempDirectory folder;
  fs::copy_file(kit(kLlama) + "/config.json", folder / "config.json");
  for (const auto format : {std::optional<Format>(), std::optional(Format::q8_0)}) {
    LoadOptions options{.model = (folder / "config.json").string(), .device = "cpu", .random_seed = 7};
    options.rewrite.weights = format;
    LoadedModel model = load_model(options);
    EXPECT_EQ(model.checkpoint, nullptr);
    const GenerateOptions request{.prompt_ids = {{1, 2, 3}}, .max_tokens = 12, .ignore_eos = true};
    const std::vector<int32_t> tokens = generate(model, request).token_ids;
    EXPECT_EQ(tokens.size(), 12u);
    LoadedModel again = load_model(options);
    EXPECT_EQ(generate(again, request).token_ids, tokens) << "the seed decides";
  }
}

// ---- random numbers

struct Moments {
  double mean = 0, deviation = 0, largest = 0;
};

Moments moments(const Tensor& tensor) {
  Moments m;
  double squares = 0;
  std::vector<float> row(static_cast<size_t>(tensor.last()));
  for (int64_t r = 0; r < tensor.rows(); ++r) {
    decode_row(tensor, r, row);
    for (const float x : row) {
      m.mean += x;
      squares += static_cast<double>(x) * x;
      m.largest = std::max<double>(m.largest, std::abs(x));
    }
  }
  const auto n = static_cast<double>(tensor.elements());
  m.mean /= n;
  m.deviation = std::sqrt(squares / n - m.mean * m.mean);
  return m;
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.byte_size() == b.byte_size() && std::memcmp(a.bytes(), b.bytes(), a.byte_size()) == 0;
}

class RandomWeights : public testing::TestWithParam<Format> {};
INSTANTIATE_TEST_SUITE_P(Formats, RandomWeights,
                         testing::Values(Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0),
                         [](const auto& test) { return std::string(info(test.param).name); });

TEST_P(RandomWeights, HaveMeanZeroAndAnInitialisersDeviation) {
  RandomSource source(3, {{"w", {.shape = {1000, 320}, .format = GetParam()}}});
  const Moments m = moments(source.get("w"));
  // Of n numbers with deviation σ the mean has σ/√n; the deviation of σ itself is below σ/√n for flat distributions.
  // One scale in f16, or a step of the table in bf16, is within half of 2⁻⁷ of what it stands for.
  const double n = 320'000, sigma = 0.02;
  EXPECT_NEAR(m.mean, 0, 5 * sigma / std::sqrt(n));
  EXPECT_NEAR(m.deviation, sigma, sigma * (5 / std::sqrt(n) + 0x1p-8));
  EXPECT_LT(m.largest, 0.06);
}

TEST_P(RandomWeights, DependOnSeedAndNameAlone) {
  const Type type{.shape = {600, 320}, .format = GetParam()};
  RandomSource source(3, {{"a", type}, {"b", type}}), same(3, {{"a", type}}), other(4, {{"a", type}});
  EXPECT_TRUE(equal(source.get("a"), same.get("a")));
  EXPECT_FALSE(equal(source.get("a"), source.get("b")));
  EXPECT_FALSE(equal(source.get("a"), other.get("a")));
}

TEST(RandomSource, PutsNormsAroundOneAndBiasesAroundZero) {
  const Type vector{.shape = {2048}, .format = Format::f32};
  RandomSource source(1, {{"norm.weight", vector}, {"q.bias", vector}, {"bn.running_var", vector}});
  EXPECT_NEAR(moments(source.get("norm.weight")).mean, 1, 0.003);
  EXPECT_NEAR(moments(source.get("bn.running_var")).mean, 1, 0.003);
  EXPECT_NEAR(moments(source.get("q.bias")).mean, 0, 0.003);
  EXPECT_THROW(source.get("unknown"), Error);
}

TEST(CheckpointSource, ReleasedBytesAreReadAgain) {
  const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(kit(kLlama)));
  CheckpointSource source(checkpoint);
  for (const std::string& name : checkpoint->names()) {
    const Tensor tensor = source.get(name);
    const std::vector<std::byte> before(tensor.bytes(), tensor.bytes() + tensor.byte_size());
    source.release(name);
    EXPECT_EQ(std::memcmp(tensor.bytes(), before.data(), before.size()), 0) << name;
  }
  EXPECT_NO_THROW(source.check());
  EXPECT_THROW(source.get("no.such.tensor"), Error);
}

}  // namespace
}  // namespace braid
