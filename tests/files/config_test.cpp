#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "core/error.h"
#include "files/generation_config.h"
#include "support/kit.h"

namespace braid {
namespace {

Config parse(const std::string& text) { return Config::parse(text, "config.json"); }

template <class F>
Error failure_of(F&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error("");
}

/// Reads everything generic that a decoder-only family reads.
void read_decoder(const std::string& text) {
  Config config = parse(text);
  config.require_known(std::array<std::string_view, 2>{"gpt2", "llama"});
  config.layers();
  config.vocabulary();
  config.heads_and_dims();
  config.rope();
}

const std::string kSound =
    R"({"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100,"eos_token_id":2})";

/// kSound with `from` replaced by `to`.
std::string with(const std::string& from, const std::string& to) {
  std::string text = kSound;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

struct BadConfig {
  const char* description;
  std::string text;
  std::string what;
  std::string field;
  std::string at;  // the value's text: its place is the offset
};

void expect_refused(const BadConfig& bad) {
  SCOPED_TRACE(bad.description);
  const Error error = failure_of([&] { read_decoder(bad.text); });
  EXPECT_EQ(error.place().file, "config.json");
  EXPECT_NE(error.message().find(bad.what), std::string::npos) << error.line();
  EXPECT_EQ(error.place().field, bad.field) << error.line();
  ASSERT_TRUE(error.place().offset.has_value()) << error.line();
  ASSERT_NE(bad.text.find(bad.at), std::string::npos);
  EXPECT_EQ(*error.place().offset, bad.text.find(bad.at)) << error.line();
}

TEST(Config, ASoundConfigIsAccepted) { EXPECT_NO_THROW(read_decoder(kSound)); }

TEST(Config, Case26HeadsMustFitTheWidthAndEachOther) {
  const std::string heads = "\"num_attention_heads\":4";
  for (const BadConfig& bad : {
           BadConfig{"no heads", with(heads, "\"num_attention_heads\":0"), "must be from 1", "num_attention_heads",
                     "0,\"vocab"},
           BadConfig{"negative", with(heads, "\"num_attention_heads\":-4"), "must be from 1", "num_attention_heads",
                     "-4"},
           BadConfig{"indivisible", with(heads, "\"num_attention_heads\":7"),
                     "7 heads do not divide the hidden size 64", "num_attention_heads", "7,"},
           BadConfig{"more kv", with(heads, heads + ",\"num_key_value_heads\":8"),
                     "more key-value heads (8) than heads (4)", "num_key_value_heads", "8"},
           BadConfig{"odd kv", with(heads, heads + ",\"num_key_value_heads\":3"),
                     "3 key-value heads do not divide the 4 heads", "num_key_value_heads", "3,\"v"},
           BadConfig{"no kv", with(heads, heads + ",\"num_key_value_heads\":0"), "must be from 1",
                     "num_key_value_heads", "0,\"v"},
           BadConfig{"huge", with("64", "1000000000000"), "must be from 1", "hidden_size", "1000000000000"},
           BadConfig{"head_dim", with(heads, heads + ",\"head_dim\":0"), "must be from 1", "head_dim", "0,\"v"},
           BadConfig{"a string", with(heads, "\"num_attention_heads\":\"4\""), "expected an integer",
                     "num_attention_heads", "\"4\""},
           BadConfig{"a fraction", with(heads, "\"num_attention_heads\":4.5"), "expected an integer",
                     "num_attention_heads", "4.5"},
       })
    expect_refused(bad);
  const HeadConfig wide = parse(with(heads, "\"num_attention_heads\":7,\"head_dim\":24")).heads_and_dims();
  EXPECT_EQ(wide.heads, 7);
  EXPECT_EQ(wide.kv_heads, 7);
  EXPECT_EQ(wide.head_dim, 24);
  const HeadConfig keyed = parse(R"({"n_embd":48,"n_head":3})").heads_and_dims({.hidden = "n_embd", .heads = "n_head"});
  EXPECT_EQ(keyed.head_dim, 16);
}

TEST(Config, Case27LayersAndRopeFactorsMustMakeSense) {
  const std::string layers = "\"num_hidden_layers\":2";
  const auto scaled = [&](const std::string& scaling) { return with(layers, layers + ",\"rope_scaling\":" + scaling); };
  for (
      const BadConfig& bad : {
          BadConfig{"layers -1", with(layers, "\"num_hidden_layers\":-1"), "from 1 to 1000", "num_hidden_layers", "-1"},
          BadConfig{"layers 0", with(layers, "\"num_hidden_layers\":0"), "from 1 to 1000", "num_hidden_layers",
                    "0,\"num_att"},
          BadConfig{"layers 10^9", with(layers, "\"num_hidden_layers\":1000000000"), "from 1 to 1000",
                    "num_hidden_layers", "1000000000"},
          BadConfig{"factor 0", scaled(R"({"rope_type":"linear","factor":0.0})"), "positive", "rope_scaling.factor",
                    "0.0"},
          BadConfig{"factor -2", scaled(R"({"type":"linear","factor":-2})"), "positive", "rope_scaling.factor", "-2"},
          BadConfig{"factor \"NaN\"", scaled(R"({"type":"linear","factor":"NaN"})"), "expected a number",
                    "rope_scaling.factor", "\"NaN\""},
          BadConfig{"factor NaN", scaled(R"({"type":"linear","factor":NaN})"), "not a JSON value", "", "NaN"},
          BadConfig{"factor 1e400", scaled(R"({"type":"linear","factor":1e400})"), "overflow", "", "1e400"},
          BadConfig{"factor 0 unused", scaled(R"({"rope_type":"default","factor":0})"), "positive",
                    "rope_scaling.factor", "0},"},
          BadConfig{"no factor", scaled(R"({"rope_type":"linear"})"), "\"factor\" is missing", "rope_scaling",
                    "{\"rope_type"},
          BadConfig{"unknown", scaled(R"({"rope_type":"spiral","factor":2})"), "unknown rope type \"spiral\"",
                    "rope_scaling.rope_type", "\"spiral\""},
          BadConfig{"an array", scaled("[1]"), "expected an object", "rope_scaling", "[1]"},
          BadConfig{"theta 0", with(layers, layers + ",\"rope_theta\":0"), "positive", "rope_theta", "0,\"num_att"},
          BadConfig{"share 2", with(layers, layers + ",\"partial_rotary_factor\":2.5"), "must not exceed 1",
                    "partial_rotary_factor", "2.5"},
          BadConfig{
              "frequencies",
              scaled(
                  R"({"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4.5e0,"original_max_position_embeddings":0})"),
              "the context must be positive", "rope_scaling.original_max_position_embeddings", "0}"},
          BadConfig{
              "order",
              scaled(
                  R"({"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":3.5,"original_max_position_embeddings":32})"),
              "above low_freq_factor", "rope_scaling.high_freq_factor", "3.5"},
      })
    expect_refused(bad);
}

TEST(Config, Case28TheEndTokenLiesInTheVocabulary) {
  for (const BadConfig& bad : {
           BadConfig{"one", with("\"eos_token_id\":2", "\"eos_token_id\":100"), "100 is outside the vocabulary of 100",
                     "eos_token_id", "100}"},
           BadConfig{"a list", with("\"eos_token_id\":2", "\"eos_token_id\":[2,777]"), "777 is outside",
                     "eos_token_id[1]", "777"},
           BadConfig{"no vocabulary", with("\"vocab_size\":100", "\"vocab_size\":0"), "must be from 1", "vocab_size",
                     "0,\"eos"},
           BadConfig{"huge", with("\"vocab_size\":100", "\"vocab_size\":1000000000"), "must be from 1 to 10000000",
                     "vocab_size", "1000000000"},
       })
    expect_refused(bad);
  EXPECT_EQ(parse(with("\"eos_token_id\":2", "\"eos_token_id\":[2,99]")).vocabulary(), 100);
}

TEST(Config, Case29OwnCodeIsNeverRun) {
  const std::string map = R"("auto_map":{"AutoModel":"modeling_x.X"},)";
  const Error error = failure_of([&] { read_decoder("{" + map + R"("model_type":"x1"})"); });
  EXPECT_NE(error.message().find("unknown model type \"x1\""), std::string::npos);
  EXPECT_NE(error.advice().find("gpt2 llama"), std::string::npos);
  EXPECT_NE(error.advice().find("auto_map"), std::string::npos);
  EXPECT_EQ(error.place().field, "model_type");

  const std::array<std::string_view, 1> known = {"llama"};
  Config with_code = parse("{" + map + kSound.substr(1));
  with_code.require_known(known);
  ASSERT_EQ(with_code.notes().size(), 1u);
  EXPECT_NE(with_code.notes()[0].find("auto_map is ignored"), std::string::npos);
  EXPECT_EQ(with_code.notes()[0].find('\n'), std::string::npos);

  Config plain = parse(kSound);
  plain.require_known(known);
  EXPECT_TRUE(plain.notes().empty());
  EXPECT_EQ(failure_of([&] { parse("{}").require_known(known); }).message(), "the key \"model_type\" is missing");
}

TEST(Config, NullCountsAsAbsent) {
  const Config config = parse(R"({"a":null,"b":3})");
  EXPECT_FALSE(config.has("a"));
  EXPECT_EQ(config.int_or("a", 7), 7);
  EXPECT_EQ(config.int_or("b", 7), 3);
  EXPECT_THROW(config.int_at("a"), Error);
}

TEST(Config, GettersAreTyped) {
  const Config config = parse(
      R"({"i":3,"r":0.5,"b":true,"s":"x","l":[1,2],"t":["p","q"],"o":{"n":{"deep":9}},"id2label":{"1":"NO","0":"YES"}})");
  EXPECT_EQ(config.int_at("i"), 3);
  EXPECT_EQ(config.real_at("r"), 0.5);
  EXPECT_EQ(config.real_or("i", 0), 3.0);
  EXPECT_EQ(config.real_or("absent", 1.5), 1.5);
  EXPECT_TRUE(config.bool_or("b", false));
  EXPECT_FALSE(config.bool_or("absent", false));
  EXPECT_EQ(config.string_at("s"), "x");
  EXPECT_EQ(config.string_or("absent", "y"), "y");
  EXPECT_EQ(config.ints_at("l"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(config.ints_or("absent", {5}), std::vector<int64_t>{5});
  EXPECT_EQ(config.strings("t"), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(config.section("o").section("n").int_at("deep"), 9);
  EXPECT_EQ(config.labels(), (std::vector<std::string>{"YES", "NO"}));
  EXPECT_THROW(config.int_at("i", {4, 5}), Error);
  EXPECT_THROW(config.ints_at("l", {0, 1}), Error);
  EXPECT_THROW(config.bool_or("i", false), Error);
  EXPECT_THROW(config.section("i"), Error);
  EXPECT_THROW(config.strings("l"), Error);
  EXPECT_EQ(failure_of([&] { config.section("o").section("n").string_at("deep"); }).place().field, "o.n.deep");
  EXPECT_EQ(failure_of([&] { config.section("o").int_at("x"); }).place().field, "o");
  EXPECT_THROW(parse("[]"), Error);
  EXPECT_THROW(parse(R"({"id2label":{"0":"A","2":"B"}})").labels(), Error);
}

TEST(Config, DtypeIsReadInBothSpellings) {
  EXPECT_EQ(parse(R"({"torch_dtype":"bfloat16"})").dtype(), Format::bf16);
  EXPECT_EQ(parse(R"({"dtype":"float16"})").dtype(), Format::f16);
  EXPECT_EQ(parse(R"({"dtype":"torch.float32"})").dtype(), Format::f32);
  EXPECT_EQ(parse(R"({"dtype":null,"torch_dtype":null})").dtype(), std::nullopt);
  EXPECT_THROW(parse(R"({"dtype":"float3"})").dtype(), Error);
}

TEST(RopeConfig, BothSpellingsGiveTheSame) {
  const RopeConfig old_style =
      parse(R"({"rope_theta":500000.0,"rope_scaling":{"factor":8.0,"high_freq_factor":4.0,"low_freq_factor":1.0,
      "original_max_position_embeddings":32,"rope_type":"llama3"}})")
          .rope();
  const RopeConfig new_style =
      parse(R"({"rope_parameters":{"rope_theta":500000.0,"factor":8.0,"high_freq_factor":4.0,"low_freq_factor":1.0,
      "original_max_position_embeddings":32,"rope_type":"llama3"}})")
          .rope();
  for (const RopeConfig& rope : {old_style, new_style}) {
    EXPECT_EQ(rope.type, RopeConfig::Type::llama3);
    EXPECT_EQ(rope.theta, 500000);
    EXPECT_EQ(rope.factor, 8);
    EXPECT_EQ(rope.low_freq_factor, 1);
    EXPECT_EQ(rope.high_freq_factor, 4);
    EXPECT_EQ(rope.original_max_position, 32);
  }
}

TEST(RopeConfig, DefaultsComeFromTheFamily) {
  EXPECT_EQ(parse("{}").rope(1e6).theta, 1e6);
  EXPECT_EQ(parse("{}").rope().type, RopeConfig::Type::standard);
  EXPECT_EQ(parse(R"({"rope_scaling":null,"rope_theta":5.0})").rope().theta, 5);
  EXPECT_EQ(
      parse(R"({"rope_parameters":{"rope_type":"default","partial_rotary_factor":0.25}})").rope().partial_rotary_factor,
      0.25);
}

TEST(RopeConfig, YarnReadsItsOwnParameters) {
  const RopeConfig rope =
      parse(
          R"({"max_position_embeddings":128,"rope_parameters":{"rope_type":"yarn","factor":4,"beta_fast":16,"beta_slow":2,
      "attention_factor":1.25,"mscale":1.0,"mscale_all_dim":0.7,"truncate":false,"original_max_position_embeddings":32}})")
          .rope();
  EXPECT_EQ(rope.type, RopeConfig::Type::yarn);
  EXPECT_EQ(rope.beta_fast, 16);
  EXPECT_EQ(rope.beta_slow, 2);
  EXPECT_EQ(rope.attention_factor, 1.25);
  EXPECT_EQ(rope.mscale, 1.0);
  EXPECT_EQ(rope.mscale_all_dim, 0.7);
  EXPECT_FALSE(rope.truncate);
  const RopeConfig derived =
      parse(
          R"({"max_position_embeddings":128,"rope_parameters":{"rope_type":"yarn","original_max_position_embeddings":32}})")
          .rope();
  EXPECT_EQ(derived.factor, 4);
  EXPECT_EQ(derived.beta_fast, 32);
  EXPECT_FALSE(derived.attention_factor.has_value());
  const RopeConfig whole = parse(R"({"max_position_embeddings":128,"rope_scaling":{"type":"yarn","factor":2}})").rope();
  EXPECT_EQ(whole.original_max_position, 128);
}

TEST(RopeConfig, ParametersMayDifferByLayerType) {
  const Config config =
      parse(R"({"rope_parameters":{"full_attention":{"rope_theta":160000.0,"rope_type":"linear","factor":8},
      "sliding_attention":{"rope_theta":10000.0,"rope_type":"default"}}})");
  EXPECT_EQ(config.rope(1, "full_attention").theta, 160000);
  EXPECT_EQ(config.rope(1, "full_attention").factor, 8);
  EXPECT_EQ(config.rope(1, "sliding_attention").type, RopeConfig::Type::standard);
}

TEST(GenerationConfig, ReadsTheFileAndFallsBackToTheConfig) {
  test::TempDirectory folder;
  const Config config = parse(R"({"eos_token_id":7,"bos_token_id":1,"pad_token_id":-1,"temperature":0.3})");
  GenerationConfig none = GenerationConfig::read(folder.path().string(), config);
  EXPECT_EQ(none.eos_token_ids, std::vector<int64_t>{7});
  EXPECT_EQ(none.bos_token_id, 1);
  EXPECT_EQ(none.pad_token_id, std::nullopt);
  EXPECT_EQ(none.temperature, 0.3);

  folder.write("generation_config.json",
               R"({"eos_token_id":[2,3],"decoder_start_token_id":50258,"do_sample":true,"temperature":0.6,"top_k":20,
      "top_p":0.95,"min_p":0.1,"repetition_penalty":1.1,"max_new_tokens":9,"max_length":448,"suppress_tokens":[-1,5],"begin_suppress_tokens":[220,50257],
      "forced_decoder_ids":[[1,null],[2,50359]]})");
  const GenerationConfig g = GenerationConfig::read(folder.path().string(), config);
  EXPECT_EQ(g.eos_token_ids, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(g.bos_token_id, 1);
  EXPECT_EQ(g.decoder_start_token_id, 50258);
  EXPECT_EQ(g.do_sample, true);
  EXPECT_EQ(g.temperature, 0.6);
  EXPECT_EQ(g.top_k, 20);
  EXPECT_EQ(g.top_p, 0.95);
  EXPECT_EQ(g.min_p, 0.1);
  EXPECT_EQ(g.repetition_penalty, 1.1);
  EXPECT_EQ(g.max_new_tokens, 9);
  EXPECT_EQ(g.max_length, 448);
  EXPECT_EQ(g.suppress_tokens, std::vector<int64_t>{5});
  EXPECT_EQ(g.begin_suppress_tokens, (std::vector<int64_t>{220, 50257}));
  ASSERT_EQ(g.forced_decoder_ids.size(), 1u);
  EXPECT_EQ(g.forced_decoder_ids[0], (std::pair<int64_t, int64_t>{2, 50359}));
}

TEST(GenerationConfig, ReadsEverySettingOfTransformers) {
  const Config own = parse(
      R"({"typical_p":0.9,"top_h":0.4,"epsilon_cutoff":0.001,"eta_cutoff":0.002,"encoder_repetition_penalty":1.2,
      "no_repeat_ngram_size":3,"encoder_no_repeat_ngram_size":4,"bad_words_ids":[[1],[2,3]],"min_length":5,
      "sequence_bias":[[[7,8],-2.5]],"min_new_tokens":6,"forced_bos_token_id":9,"forced_eos_token_id":[2,4],
      "exponential_decay_length_penalty":[10,1.1],"num_beams":4,"num_return_sequences":2,"length_penalty":0.6,
      "early_stopping":"never","bos_token_id":null})");
  const GenerationConfig g = GenerationConfig::from(&own, own);
  EXPECT_EQ(g.typical_p, 0.9);
  EXPECT_EQ(g.top_h, 0.4);
  EXPECT_EQ(g.epsilon_cutoff, 0.001);
  EXPECT_EQ(g.eta_cutoff, 0.002);
  EXPECT_EQ(g.encoder_repetition_penalty, 1.2);
  EXPECT_EQ(g.no_repeat_ngram_size, 3);
  EXPECT_EQ(g.encoder_no_repeat_ngram_size, 4);
  EXPECT_EQ(g.bad_words_ids, (std::vector<std::vector<int32_t>>{{1}, {2, 3}}));
  ASSERT_EQ(g.sequence_bias.size(), 1u);
  EXPECT_EQ(g.sequence_bias[0].first, (std::vector<int32_t>{7, 8}));
  EXPECT_EQ(g.sequence_bias[0].second, -2.5);
  EXPECT_EQ(g.min_length, 5);
  EXPECT_EQ(g.min_new_tokens, 6);
  EXPECT_EQ(g.forced_bos_token_id, 9);
  EXPECT_EQ(g.forced_eos_token_ids, (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(g.exponential_decay_length_penalty, (std::pair<int64_t, double>{10, 1.1}));
  EXPECT_EQ(g.num_beams, 4);
  EXPECT_EQ(g.num_return_sequences, 2);
  EXPECT_EQ(g.length_penalty, 0.6);
  EXPECT_EQ(g.early_stopping, EarlyStopping::never);
  EXPECT_EQ(g.bos_token_id, std::nullopt);
}

TEST(GenerationConfig, OneIsLaidOverAnotherSettingBySetting) {
  const Config a = parse(R"({"temperature":0,"eos_token_id":5,"early_stopping":true,"suppress_tokens":[1]})");
  const Config b = parse(R"({"temperature":0.7,"top_k":40,"eos_token_id":[6,7],"do_sample":true,"max_length":99,
      "early_stopping":false,"bad_words_ids":[[3]],"suppress_tokens":[2]})");
  const GenerationConfig g = GenerationConfig::from(&a, a).or_else(GenerationConfig::from(&b, b));
  EXPECT_EQ(g.temperature, 0) << "zero is a setting";
  EXPECT_EQ(g.top_k, 40);
  EXPECT_EQ(g.eos_token_ids, std::vector<int64_t>{5});
  EXPECT_EQ(g.do_sample, true);
  EXPECT_EQ(g.max_length, 99);
  EXPECT_EQ(g.early_stopping, EarlyStopping::yes);
  EXPECT_EQ(g.bad_words_ids.size(), 1u);
  EXPECT_EQ(g.suppress_tokens, std::vector<int64_t>{1});
}

TEST(GenerationConfig, ValuesThatNoSamplerCanUseAreRefused) {
  const Config config = parse("{}");
  for (const char* text : {R"({"temperature":-1})",
                           R"({"top_p":2})",
                           R"({"top_k":-5})",
                           R"({"repetition_penalty":0})",
                           R"({"eos_token_id":-2})",
                           R"({"eos_token_id":[1,"x"]})",
                           R"({"max_length":-1})",
                           R"({"forced_decoder_ids":[[1]]})",
                           R"({"bad_words_ids":[[]]})",
                           R"({"bad_words_ids":[3]})",
                           R"({"sequence_bias":[[[1],"x"]]})",
                           R"({"num_beams":0})",
                           R"({"early_stopping":"later"})",
                           R"({"exponential_decay_length_penalty":[1]})",
                           R"({"min_length":-3})",
                           R"({"typical_p":0})",
                           R"({"forced_eos_token_id":[-2]})",
                           R"({"temperature":"hot"})",
                           "[]",
                           "{"}) {
    test::TempDirectory folder;
    folder.write("generation_config.json", text);
    const Error error = failure_of([&] { GenerationConfig::read(folder.path().string(), config); });
    EXPECT_EQ(error.place().file, folder / "generation_config.json") << text;
    EXPECT_TRUE(error.place().offset.has_value()) << text;
  }
  test::TempDirectory folder;
  folder.write("generation_config.json", R"({"eos_token_id":100})");
  EXPECT_NO_THROW(GenerationConfig::read(folder.path().string(), config, 101));
  EXPECT_THROW(GenerationConfig::read(folder.path().string(), config, 100), Error);
}

TEST(Config, ReadsTheGoldenConfigs) {
  namespace fs = std::filesystem;
  size_t read = 0;
  for (const std::string& name : test::kit_names("golden/text")) {
    const fs::path folder = *test::kit_path("golden/text/" + name);
    if (!fs::exists(folder / "config.json")) continue;
    const Config config = Config::read(folder.string());
    EXPECT_FALSE(config.model_type().empty());
    const int64_t vocabulary = config.vocabulary();
    EXPECT_NO_THROW(GenerationConfig::read(folder.string(), config, vocabulary)) << folder;
    if (config.has("num_attention_heads") && config.has("hidden_size")) {
      EXPECT_NO_THROW(config.heads_and_dims()) << folder;
    }
    ++read;
  }
  if (read == 0) GTEST_SKIP() << test::kit_missing("golden/text");
}

}  // namespace
}  // namespace braid
