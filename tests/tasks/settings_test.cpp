#include "tasks/settings.h"

#include <gtest/gtest.h>

namespace braid {
namespace {

GenerationConfig of(const char* text) {
  const Config config = Config::parse(text, "generation_config.json");
  return GenerationConfig::from(&config, config);
}

DecodingOptions chosen(const char* asked, const char* own) {
  return decoding_options(settings_of(of(asked), of(own)), 0);
}

TEST(Settings, AreGreedyUnlessSomethingAsksForDraws) {
  EXPECT_EQ(chosen("{}", "{}").sampling.temperature, 0);
  EXPECT_EQ(chosen("{}", R"({"temperature":0.6,"top_p":0.9})").sampling.temperature, 0) << "the file does not sample";
  EXPECT_EQ(chosen("{}", R"({"temperature":0.6,"top_p":0.9})").sampling.top_p, 1);
  EXPECT_EQ(chosen(R"({"top_k":5})", "{}").sampling.temperature, 1) << "a filter means nothing to a greedy choice";
  EXPECT_EQ(chosen(R"({"temperature":0.3})", "{}").sampling.temperature, 0.3);
}

TEST(Settings, FollowTheFileWhereItSamplesAndTheFlagsBeforeIt) {
  const char* own = R"({"do_sample":true,"temperature":0.6,"top_p":0.9,"top_k":20,"repetition_penalty":1.1})";
  EXPECT_EQ(chosen("{}", own).sampling.temperature, 0.6);
  EXPECT_EQ(chosen("{}", own).sampling.top_k, 20);
  const DecodingOptions asked = chosen(R"({"top_p":0.5,"temperature":0})", own);
  EXPECT_EQ(asked.sampling.temperature, 0);
  EXPECT_EQ(asked.sampling.top_p, 0.5);
  EXPECT_EQ(asked.sampling.repetition_penalty, 1.1);
  EXPECT_EQ(chosen(R"({"do_sample":false})", own).sampling.temperature, 0);
  EXPECT_EQ(chosen(R"({"do_sample":true})", R"({"temperature":0.4})").sampling.temperature, 0.4);
}

TEST(Settings, ReachTheEngineWhole) {
  const DecodingOptions o = chosen("{}", R"({"no_repeat_ngram_size":3,"encoder_no_repeat_ngram_size":4,
      "bad_words_ids":[[1,2]],"sequence_bias":[[[3],0.5]],"min_length":5,"min_new_tokens":6,"forced_bos_token_id":7,
      "forced_eos_token_id":8,"exponential_decay_length_penalty":[9,1.5],"suppress_tokens":[10],
      "begin_suppress_tokens":[11],"eos_token_id":[12,13],"num_beams":3,"num_return_sequences":2,"length_penalty":2,
      "early_stopping":true,"frequency_penalty":0.1,"presence_penalty":0.2,"encoder_repetition_penalty":1.3})");
  const SamplingOptions& s = o.sampling;
  EXPECT_EQ(s.no_repeat_ngram_size, 3);
  EXPECT_EQ(s.encoder_no_repeat_ngram_size, 4);
  EXPECT_EQ(s.bad_words, (std::vector<std::vector<int32_t>>{{1, 2}}));
  EXPECT_EQ(s.sequence_bias.at(0).bias, 0.5);
  EXPECT_EQ(s.min_length, 5);
  EXPECT_EQ(s.min_new_tokens, 6);
  EXPECT_EQ(s.forced_bos, 7);
  EXPECT_EQ(s.forced_eos, std::vector<int32_t>{8});
  EXPECT_EQ(s.exponential_decay_length_penalty.second, 1.5);
  EXPECT_EQ(s.suppress, std::vector<int32_t>{10});
  EXPECT_EQ(s.begin_suppress, std::vector<int32_t>{11});
  EXPECT_EQ(s.ends, (std::vector<int32_t>{12, 13}));
  EXPECT_EQ(s.frequency_penalty, 0.1);
  EXPECT_EQ(s.presence_penalty, 0.2);
  EXPECT_EQ(s.encoder_repetition_penalty, 1.3);
  EXPECT_EQ(o.beams, 3);
  EXPECT_EQ(o.sequences, 2);
  EXPECT_EQ(o.length_penalty, 2);
  EXPECT_EQ(o.early_stopping, EarlyStopping::yes);
  EXPECT_EQ(o.width(), 3);
}

TEST(Settings, BoundTheNewTokens) {
  EXPECT_EQ(new_tokens(of("{}"), 5), std::nullopt);
  EXPECT_EQ(new_tokens(of(R"({"max_length":20})"), 5), 15) << "prompt included";
  EXPECT_EQ(new_tokens(of(R"({"max_length":20,"max_new_tokens":7})"), 5), 7);
}

}  // namespace
}  // namespace braid
