// Sources of tokens: encoded once when a request is admitted, kept in a slot while it is written about.

#include "engine/source.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "engine/engine.h"
#include "engine/models.h"

namespace braid {
namespace {

constexpr const char* kModel = "golden/text/umt5";

LoadOptions options_of(int64_t sequences) {
  LoadOptions options = test::exact_options(kModel, "cpu");
  options.sequences = sequences;
  options.context = 40;
  options.source_tokens = 30;
  return options;
}

Tensor ids(const std::vector<int32_t>& tokens) {
  return Tensor::of({std::ssize(tokens)}, std::span<const int32_t>(tokens));
}

std::vector<int32_t> write(Engine& engine, const std::vector<std::vector<int32_t>>& sources, size_t which) {
  std::vector<int32_t> written;
  for (size_t i = 0; i < sources.size(); ++i)
    engine.submit({.prompt = {0}, .max_tokens = 12, .source = ids(sources[i])}, [&, i](const TokenEvent& event) {
      if (event.has_token && i == which) written.push_back(event.token);
      return true;
    });
  engine.run();
  return written;
}

TEST(TokenSources, OfDifferentLengthsAreWrittenAboutTogetherAsAlone) {
  const test::Greedy greedy = test::golden_greedy(kModel);
  const LoadedModel loaded = load_model(options_of(2));
  Engine engine(*loaded.program);
  // Three requests in two slots: the last one gets the slot of a longer source.
  const std::vector<std::vector<int32_t>> sources{std::vector<int32_t>(30, 7), {9, 8, 7}, greedy.prompt};
  const std::vector<int32_t> together = write(engine, sources, 2);
  EXPECT_EQ(together, std::vector<int32_t>(greedy.tokens.begin(), greedy.tokens.begin() + 12));
  EXPECT_EQ(write(engine, {greedy.prompt}, 0), together);
}

TEST(TokenSources, AreCheckedBeforeTheyAreEncoded) {
  const LoadedModel loaded = load_model(options_of(1));
  Engine engine(*loaded.program);
  const auto line = [&](Tensor source) {
    try {
      engine.submit({.prompt = {0}, .max_tokens = 1, .source = std::move(source)}, {});
    } catch (const UsageError& error) {
      return error.line();
    }
    return std::string("accepted");
  };
  EXPECT_NE(line({}).find("needs a source"), std::string::npos);
  EXPECT_NE(line(ids({5, 4096})).find("4096"), std::string::npos);
  EXPECT_NE(line(ids(std::vector<int32_t>(31, 5))).find("31 tokens"), std::string::npos);
  EXPECT_NE(line(Tensor::make({80, 10}, Format::f32)).find("i32"), std::string::npos);
}

TEST(TokenSources, AreTakenByEncodersOfTokensAlone) {
  const LoadedModel t5 = load_model(options_of(1));
  EXPECT_TRUE(encodes_tokens(*t5.program));
  const LoadedModel gpt2 = load_model(test::exact_options("golden/text/gpt2", "cpu"));
  EXPECT_FALSE(encodes_tokens(*gpt2.program));
}

}  // namespace
}  // namespace braid
