#include <gtest/gtest.h>

#include <cmath>

#include "braid/braid.h"
#include "support/kit.h"

namespace {

std::string books() { return braid::test::kit_path("models/books-4m").value().string(); }

TEST(Api, WritesTheSameTextStreamedAndWhole) {
  braid::Model model = braid::Model::load(books(), {.threads = 1, .exact = true, .context = 128});
  std::string streamed;
  const braid::Generated text = model.generate({.prompt = "It was", .max_tokens = 12}, [&](std::string_view part) {
    streamed += part;
    return true;
  });
  EXPECT_EQ(streamed, text.text);
  EXPECT_EQ(text.token_ids.size(), 12u);
  EXPECT_EQ(text.finish_reason, "length");
  EXPECT_EQ(text.prompt_tokens, static_cast<int64_t>(model.tokenize("It was").size()));
  EXPECT_EQ(model.generate({.prompt_ids = model.tokenize("It was"), .max_tokens = 12}).text, text.text);
}

TEST(Api, TokenisesThereAndBack) {
  const braid::Model model = braid::Model::load(books());
  const std::vector<int32_t> plain = model.tokenize("“Watson,” he said.", false);
  EXPECT_EQ(model.detokenize(plain), "“Watson,” he said.");
  EXPECT_EQ(model.tokenize("“Watson,” he said.").size(), plain.size() + 1) << "with the token that begins a text";
}

TEST(Api, ForwardGivesLogitsForEveryTokenThatGenerateAgreesWith) {
  braid::Model model = braid::Model::load(books(), {.exact = true});
  const std::vector<int32_t> ids = model.tokenize("The dog");
  const auto columns = static_cast<int64_t>(ids.size());
  const auto outputs = model.forward({{"input_ids", {.shape = {1, columns}, .integers = ids}}});
  const braid::Array& logits = outputs.at("logits");
  ASSERT_EQ(logits.shape, (std::vector<int64_t>{1, columns, 4096}));
  const auto last = logits.floats.end() - 4096;
  const auto best = static_cast<int32_t>(std::max_element(last, logits.floats.end()) - last);
  EXPECT_EQ(model.generate({.prompt_ids = ids, .max_tokens = 1}).token_ids, (std::vector<int32_t>{best}));
}

TEST(Api, ErrorsAreOneLineThatNamesWhatIsWrong) {
  const auto message = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message([] { braid::Model::load("no/such/model"); }).find("no/such/model"), std::string::npos);
  EXPECT_NE(message([] { braid::Model::load(books(), {.weights = "q9_9"}); }).find("q9_9"), std::string::npos);
  braid::Model model = braid::Model::load(books());
  EXPECT_NE(message([&] { model.generate({.prompt = "a", .top_p = 2}); }).find("top_p"), std::string::npos);
  EXPECT_NE(message([&] {
              model.forward({{"input_ids", {.shape = {1, 5}, .integers = {1}}}});
            }).find("input_ids"),
            std::string::npos);
  EXPECT_NE(message([&] {
              model.forward({{"input_ids", {.shape = {1, -5}, .integers = {1}}}});
            }).find("negative"),
            std::string::npos);
}

}  // namespace
