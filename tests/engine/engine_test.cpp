#include "engine/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "engine/batch.h"
#include "engine/models.h"
#include "files/safetensors.h"
#include "tasks/sources.h"

namespace braid {
namespace {

using test::exact_options;
using test::golden_greedy;
using test::Greedy;
using test::kit_path;

constexpr const char* kLlama = "golden/text/llama-gqa";

/// What one request's callback saw.
struct Seen {
  std::vector<int32_t> tokens;
  FinishReason finished = FinishReason::none;
  std::string message;
  TokenCallback callback() {
    return [this](const TokenEvent& event) {
      EXPECT_EQ(finished, FinishReason::none) << "an event after the last";
      if (event.has_token) tokens.push_back(event.token);
      finished = event.finished;
      message = event.message;
      return true;
    };
  }
};

class OnEachDevice : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Devices, OnEachDevice, testing::Values("oracle", "cpu"),
                         [](const auto& info) { return info.param; });

// ---- results

class GoldenTokens : public testing::TestWithParam<std::tuple<std::string, std::string>> {};
INSTANTIATE_TEST_SUITE_P(Causal, GoldenTokens,
                         testing::Combine(testing::Values("oracle", "cpu"), testing::ValuesIn(test::causal_cases())),
                         [](const auto& info) {
                           std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param).substr(12);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(GoldenTokens, GreedyTokensAreThoseOfTheReference) {
  const auto& [device, model] = GetParam();
  if (!kit_path(model)) GTEST_SKIP() << test::kit_missing(model);
  LoadOptions options = exact_options(model, device);
  options.step_tokens = 5;  // the prompt is cut
  const LoadedModel loaded = load_model(options);
  const Greedy greedy = golden_greedy(model);
  Engine engine(*loaded.program);
  Seen seen;
  engine.submit({.prompt = greedy.prompt, .max_tokens = static_cast<int64_t>(greedy.tokens.size())}, seen.callback());
  engine.run();
  EXPECT_EQ(seen.message, "");
  EXPECT_EQ(seen.finished, FinishReason::length);
  EXPECT_EQ(seen.tokens, greedy.tokens);
}

TEST_P(OnEachDevice, AnEncoderIsRunForEachSequenceOfADecoder) {
  const std::string model = "golden/media/whisper";
  if (!kit_path(model)) GTEST_SKIP() << test::kit_missing(model);
  const std::filesystem::path folder = *kit_path(model);
  const SafetensorsFile golden = SafetensorsFile::open((folder / "golden.safetensors").string());
  const Tensor features = golden.tensor(*golden.find("in.input_features"));  // (2, mel bins, frames) f32
  const Tensor ids = golden.tensor(*golden.find("in.decoder_input_ids"));    // (2, 12) i64
  const JsonDocument document = JsonDocument::read((folder / "golden.json").string());
  const Json greedy = document.root().at("greedy");
  const std::vector<int32_t> wanted = test::ids_of(greedy.at("tokens"));
  std::vector<int32_t> prompt;
  for (int64_t i = 0; i < greedy.at("prompt").as_int(); ++i)
    prompt.push_back(static_cast<int32_t>(ids.data<int64_t>()[i]));

  LoadOptions options = exact_options(model, GetParam());
  options.sequences = 2;
  const LoadedModel loaded = load_model(options);
  Engine engine(*loaded.program);
  const auto window = [&](int64_t row) {
    Tensor one = features;
    one.shape.erase(one.shape.begin());
    one.offset += static_cast<size_t>(row) * one.byte_size();
    return one;
  };
  Seen first, second, again;
  const auto count = static_cast<int64_t>(wanted.size());
  engine.submit({.prompt = prompt, .max_tokens = count, .source = window(0)}, first.callback());
  engine.submit({.prompt = prompt, .max_tokens = count, .source = window(1)}, second.callback());
  engine.submit({.prompt = prompt, .max_tokens = count, .source = window(0)}, again.callback());
  engine.run();
  EXPECT_EQ(first.tokens, wanted) << first.message;
  EXPECT_EQ(again.tokens, wanted) << "in a slot that was used before";
  EXPECT_EQ(second.finished, FinishReason::length);
  EXPECT_THROW(engine.submit({.prompt = prompt, .max_tokens = 1}, first.callback()), UsageError) << "no source";
  EXPECT_THROW(engine.submit({.prompt = prompt, .max_tokens = 1, .source = features}, first.callback()), UsageError);
}

// ---- batches

struct Traced {
  std::vector<int32_t> prompt;
  int64_t max_tokens;
  std::vector<std::vector<float>> logits = {};  ///< per generated token
};

/// Runs the requests greedily under these limits and keeps every row of logits.
void trace(const LoadOptions& options, int64_t pages, std::vector<Traced*> requests, uint64_t* preemptions = nullptr) {
  const LoadedModel loaded = load_model(options);
  Program& program = *loaded.program;
  const bool paged = program.keeps("decode", Lifetime::token);
  Scheduler scheduler({.context = program.options().context,
                       .step_tokens = program.options().step_tokens,
                       .slots = program.slots(),
                       .page_size = paged ? program.page_size() : 0,
                       .pages = paged ? (pages > 0 ? pages : program.pages()) : 0});
  std::map<RequestId, Traced*> by_id;
  for (Traced* r : requests) by_id[scheduler.add({r->prompt, r->max_tokens})] = r;
  for (Batch batch = scheduler.next(); !batch.empty(); batch = scheduler.next()) {
    const Tensor logits = program.run("decode", step_data(batch, program.max_pages())).at(0).tensor;
    std::vector<Outcome> outcomes;
    for (const Span& span : batch.spans) {
      if (!span.sampled) continue;
      const float* row = logits.data<float>() + outcomes.size() * static_cast<size_t>(logits.last());
      by_id.at(span.id)->logits.emplace_back(row, row + logits.last());
      outcomes.push_back({.token = static_cast<int32_t>(std::max_element(row, row + logits.last()) - row)});
    }
    scheduler.commit(batch, outcomes);
  }
  if (preemptions != nullptr) *preemptions = scheduler.preemptions();
}

bool same_bits(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
  });
}

struct BatchCase {
  std::string device, model, precision;
};
std::vector<BatchCase> batch_cases() {
  std::vector<BatchCase> cases{{"oracle", "llama-gqa", "exact"}, {"oracle", "mamba", "exact"}};
  for (const char* model : {"llama-gqa", "mamba", "mixtral"})
    for (const char* precision : {"exact", "fast", "bf16", "q8_0", "q4_0"}) cases.push_back({"cpu", model, precision});
  return cases;
}

class BatchesOf : public testing::TestWithParam<BatchCase> {};
INSTANTIATE_TEST_SUITE_P(Models, BatchesOf, testing::ValuesIn(batch_cases()), [](const auto& info) {
  std::string name = info.param.device + "_" + info.param.model + "_" + info.param.precision;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST_P(BatchesOf, ARequestGivesBitwiseEqualLogitsAloneInABatchCutIntoStepsAndPreempted) {
  const auto& [device, name, precision] = GetParam();
  const std::string model = "golden/text/" + name;
  if (!kit_path(model)) GTEST_SKIP() << test::kit_missing(model);
  LoadOptions options = exact_options(model, device);
  options.rewrite.exact = precision == "exact";
  options.threads = precision == "exact" ? 2 : 1;
  options.rewrite.weights = format_from_name(precision);
  options.context = 96;
  std::vector<Traced> alone, together, cut;
  for (int i = 0; i < 5; ++i) {  // prompts of 3 … 51 tokens, so that their steps fall into every size class
    Traced request{.prompt = {}, .max_tokens = 30};
    for (int t = 0; t < 3 + 12 * i; ++t) request.prompt.push_back((37 * t + 11 * i + 5) % 200);
    for (auto* list : {&alone, &together, &cut}) list->push_back(request);
  }
  for (Traced& request : alone) trace(options, 0, {&request});

  options.sequences = 5;
  std::vector<Traced*> all;
  for (Traced& request : together) all.push_back(&request);
  trace(options, 0, all);

  // Steps of 7 tokens; 3 pages of 64, of which the two longest sequences need two each.
  options.step_tokens = 7;
  all.clear();
  for (Traced& request : cut) all.push_back(&request);
  uint64_t preemptions = 0;
  trace(options, 3, all, &preemptions);

  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(alone[i].logits.size(), static_cast<size_t>(alone[i].max_tokens));
    EXPECT_TRUE(same_bits(alone[i].logits, together[i].logits)) << "request " << i << " in one batch";
    EXPECT_TRUE(same_bits(alone[i].logits, cut[i].logits)) << "request " << i << " in small steps";
  }
  EXPECT_EQ(preemptions > 0, name != "mamba") << "a model without pages is never short of them";
}

TEST_P(OnEachDevice, SampledTokensDoNotDependOnTheBatch) {
  if (!kit_path(kLlama)) GTEST_SKIP() << test::kit_missing(kLlama);
  LoadOptions options = exact_options(kLlama, GetParam());
  options.sequences = 4;
  const LoadedModel loaded = load_model(options);
  const auto request = [](int i) {
    return GenerateRequest{.prompt = {5 * i + 1, 7, 9},
                           .decoding = {.sampling = {.temperature = 1, .top_p = 0.9, .seed = static_cast<uint64_t>(i)}},
                           .max_tokens = 12};
  };
  std::vector<Seen> alone(4), together(4);
  for (int i = 0; i < 4; ++i) {
    Engine engine(*loaded.program);
    engine.submit(request(i), alone[i].callback());
    engine.run();
  }
  Engine engine(*loaded.program);
  for (int i = 0; i < 4; ++i) {  // one joins per step
    engine.submit(request(i), together[i].callback());
    engine.step();
  }
  engine.run();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(alone[i].tokens, together[i].tokens) << i;
}

// ---- requests

class LlamaEngine : public testing::Test {
 protected:
  void SetUp() override {
    if (!kit_path(kLlama)) GTEST_SKIP() << test::kit_missing(kLlama);
    LoadOptions options = exact_options(kLlama, "cpu");
    options.context = 64;
    options.sequences = 3;
    options.step_tokens = 8;
    loaded_.emplace(load_model(options));
    engine_ = std::make_unique<Engine>(*loaded_->program);
  }
  void expect_idle() {
    EXPECT_FALSE(engine_->step());
    EXPECT_EQ(engine_->scheduler().free_pages(), static_cast<size_t>(loaded_->program->pages()));
    EXPECT_EQ(engine_->scheduler().free_slots(), 3u);
  }
  std::optional<LoadedModel> loaded_;
  std::unique_ptr<Engine> engine_;
  Greedy greedy_ = golden_greedy(kLlama);
};

TEST_F(LlamaEngine, EndsAfterAStopTokenAndReportsIt) {
  Seen seen;
  engine_->submit(
      {.prompt = greedy_.prompt, .decoding = {.sampling = {.ends = {9999, greedy_.tokens[3]}}}, .max_tokens = 20},
      seen.callback());
  engine_->run();
  EXPECT_EQ(seen.finished, FinishReason::stop);
  EXPECT_EQ(seen.tokens, std::vector<int32_t>(greedy_.tokens.begin(), greedy_.tokens.begin() + 4));
  expect_idle();
}

TEST_F(LlamaEngine, EndsWhenTheCallbackSaysSo) {
  int calls = 0;
  engine_->submit({.prompt = {1, 2, 3}, .max_tokens = 20}, [&](const TokenEvent&) { return ++calls < 5; });
  engine_->run();
  EXPECT_EQ(calls, 5);
  expect_idle();
}

TEST_F(LlamaEngine, CancelsQueuedPrefillingAndDecodingRequestsAndThoseOfOtherCallbacks) {
  Seen canary, prefilling, decoding, queued;
  const std::vector<int32_t> long_prompt(40, 3);
  engine_->submit({.prompt = greedy_.prompt, .max_tokens = 20}, canary.callback());
  const RequestId d = engine_->submit({.prompt = {4}, .max_tokens = 20}, decoding.callback());
  const RequestId p = engine_->submit({.prompt = long_prompt, .max_tokens = 20}, prefilling.callback());
  const RequestId q = engine_->submit({.prompt = {4}, .max_tokens = 20}, queued.callback());
  while (decoding.tokens.empty()) engine_->step();
  EXPECT_TRUE(prefilling.tokens.empty());
  engine_->cancel(q);
  engine_->cancel(p);
  EXPECT_EQ(queued.finished, FinishReason::cancelled);
  EXPECT_EQ(prefilling.finished, FinishReason::cancelled);
  // A callback may cancel another request of its own step.
  engine_->submit({.prompt = {8}, .max_tokens = 9}, [&](const TokenEvent&) {
    engine_->cancel(d);
    return true;
  });
  engine_->run();
  EXPECT_EQ(decoding.finished, FinishReason::cancelled);
  EXPECT_EQ(canary.tokens, std::vector<int32_t>(greedy_.tokens.begin(), greedy_.tokens.begin() + 20));
  engine_->cancel(d);
  engine_->cancel(12345);
  expect_idle();
}

TEST_F(LlamaEngine, RefusesRequestsByNameWithoutTouchingTheOthers) {
  const int64_t vocabulary = loaded_->program->model().vocabulary;
  Seen canary;
  engine_->submit({.prompt = greedy_.prompt, .max_tokens = 10}, canary.callback());
  const auto field = [&](GenerateRequest request) -> std::string {
    try {
      engine_->submit(std::move(request), {});
    } catch (const UsageError& error) {
      return error.place().field;
    }
    return "accepted";
  };
  EXPECT_EQ(field({.prompt = {1, static_cast<int32_t>(vocabulary)}, .max_tokens = 1}), "prompt");
  EXPECT_EQ(field({.prompt = {-1}, .max_tokens = 1}), "prompt");
  EXPECT_EQ(field({.prompt = {}, .max_tokens = 1}), "prompt");
  EXPECT_EQ(field({.prompt = {1}, .max_tokens = 64}), "max_tokens");
  EXPECT_EQ(field({.prompt = {1}, .max_tokens = INT64_MAX}), "max_tokens");
  EXPECT_EQ(field({.prompt = {1}, .decoding = {.sampling = {.top_p = 2}}, .max_tokens = 1}), "top_p");
  EXPECT_EQ(field({.prompt = {1}, .max_tokens = 1, .source = Tensor::make({80, 10}, Format::f32)}), "source");
  engine_->run();
  EXPECT_EQ(canary.tokens, std::vector<int32_t>(greedy_.tokens.begin(), greedy_.tokens.begin() + 10));
}

// ---- faults

/// A checkpoint in which the embedding of one token is no number, and which can be told to fail.
class FaultySource : public ParameterSource {
 public:
  FaultySource(std::shared_ptr<ParameterSource> source, int32_t poisoned)
      : source_(std::move(source)), poisoned_(poisoned) {}
  Tensor get(std::string_view name) override {
    const Tensor tensor = source_->get(name);
    if (name != "model.embed_tokens.weight") return tensor;
    Tensor copy = Tensor::make(tensor.shape, tensor.format);
    std::memcpy(copy.bytes(), tensor.bytes(), tensor.byte_size());
    std::fill_n(copy.data<float>() + poisoned_ * tensor.last(), tensor.last(), NAN);
    return copy;
  }
  void release(std::string_view name) override { source_->release(name); }
  void check() override {
    if (broken) throw Error("the file was truncated while in use");
  }
  bool broken = false;

 private:
  std::shared_ptr<ParameterSource> source_;
  int32_t poisoned_;
};

class Faults : public OnEachDevice {
 protected:
  static constexpr int32_t kPoisoned = 77;
  void SetUp() override {
    if (!kit_path(kLlama)) GTEST_SKIP() << test::kit_missing(kLlama);
    LoadOptions options = exact_options(kLlama, GetParam());
    LoadedModel loaded = load_model(options);
    ASSERT_TRUE(loaded.checkpoint->has("lm_head.weight")) << "tied: the poison would reach every row";
    source_ = std::make_shared<FaultySource>(std::make_shared<CheckpointSource>(loaded.checkpoint), kPoisoned);
    program_ = std::make_unique<Program>(
        loaded.program->model(), make_backend(options), source_,
        ProgramOptions{.rewrite = options.rewrite, .context = 64, .sequences = 2, .step_tokens = 16, .pages = 2});
  }
  std::shared_ptr<FaultySource> source_;
  std::unique_ptr<Program> program_;
  Greedy greedy_ = golden_greedy(kLlama);
};
INSTANTIATE_TEST_SUITE_P(Devices, Faults, testing::Values("oracle", "cpu"),
                         [](const auto& info) { return info.param; });

TEST_P(Faults, LogitsThatAreNoNumbersEndTheirRequestAloneAndLeaveNothingInItsPages) {
  Engine engine(*program_);
  Seen canary, poisoned, after;
  const std::vector<int32_t> wanted(greedy_.tokens.begin(), greedy_.tokens.begin() + 16);
  engine.submit({.prompt = greedy_.prompt, .max_tokens = 16}, canary.callback());
  std::vector<int32_t> prompt(30, 5);
  prompt[3] = kPoisoned;
  engine.submit({.prompt = prompt, .max_tokens = 8}, poisoned.callback());
  // Takes the slot and the pages that hold keys and values that are no numbers.
  engine.submit({.prompt = greedy_.prompt, .max_tokens = 16}, after.callback());
  engine.run();
  EXPECT_EQ(poisoned.finished, FinishReason::error);
  EXPECT_NE(poisoned.message.find("not numbers"), std::string::npos) << poisoned.message;
  EXPECT_TRUE(poisoned.tokens.empty());
  EXPECT_EQ(canary.tokens, wanted);
  EXPECT_EQ(after.tokens, wanted);
}

TEST_P(Faults, AFailedStepEndsItsRequestsAndTheEngineGoesOn) {
  Engine engine(*program_);
  Seen first, second, after;
  engine.submit({.prompt = greedy_.prompt, .max_tokens = 16}, first.callback());
  engine.submit({.prompt = std::vector<int32_t>(40, 6), .max_tokens = 8}, second.callback());
  engine.step();
  source_->broken = true;
  engine.step();
  source_->broken = false;
  EXPECT_EQ(first.finished, FinishReason::error);
  EXPECT_EQ(second.finished, FinishReason::error) << "it was in the middle of its prompt";
  EXPECT_NE(first.message.find("truncated"), std::string::npos);
  EXPECT_EQ(engine.scheduler().free_pages(), 2u);
  engine.submit({.prompt = greedy_.prompt, .max_tokens = 16}, after.callback());
  engine.run();
  EXPECT_EQ(after.tokens, std::vector<int32_t>(greedy_.tokens.begin(), greedy_.tokens.begin() + 16));
}

TEST(EngineOf, ModelsThatDoNotGenerateAreRefused) {
  const std::string model = "golden/text/bert";
  if (!kit_path(model)) GTEST_SKIP() << test::kit_missing(model);
  const LoadedModel loaded = load_model(exact_options(model, "oracle"));
  EXPECT_THROW(Engine engine(*loaded.program), UsageError);
}

}  // namespace
}  // namespace braid
