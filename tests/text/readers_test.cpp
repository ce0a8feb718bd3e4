// Tokenizer files other than tokenizer.json.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/json.h"
#include "support/kit.h"
#include "text/readers/classic.h"
#include "text/readers/sentence_piece.h"
#include "text/tokenizer.h"

namespace braid {
namespace {

std::vector<int32_t> ids_of(const Json& list) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < list.size(); ++i) ids.push_back(static_cast<int32_t>(list[i].as_int()));
  return ids;
}

// ---- SentencePiece

class SentencePieceModel : public testing::TestWithParam<std::string> {};

TEST_P(SentencePieceModel, GivesWhatTheLibraryGives) {
  const std::string base = "data/sentencepiece/" + GetParam();
  const auto model = test::kit_path(base + ".model");
  ASSERT_TRUE(model);
  const Tokenizer tokenizer = Tokenizer::load(model->string());
  const JsonDocument recorded = JsonDocument::read(test::kit_path(base + ".json")->string());
  const Json cases = recorded.root().at("cases");
  ASSERT_GT(cases.size(), 20u);
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string text(cases[i].at("text").as_string()), decoded(cases[i].at("decoded").as_string());
    // transformers cuts user-defined symbols out before it normalises, each part gets its own prefix; it spells unknown
    // tokens as they are called, not as " ⁇ ".
    if (text.find("<turn>") != std::string::npos) continue;
    EXPECT_EQ(tokenizer.encode(text, {.add_special = false}).ids, ids_of(cases[i].at("ids"))) << text;
    if (decoded.find("⁇") != std::string::npos) continue;
    EXPECT_EQ(tokenizer.decode(ids_of(cases[i].at("ids"))), decoded) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Kit, SentencePieceModel, testing::Values("bpe", "unigram", "unigram-bytes"),
                         [](const auto& info) {
                           return info.param == "unigram-bytes" ? std::string("unigram_bytes") : info.param;
                         });

/// Parts of a model file: field number and wire type, then the value.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string bytes_field(uint32_t number, const std::string& content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}
std::string piece(const std::string& text, uint64_t type) {
  return bytes_field(1, bytes_field(1, text) + varint(3 << 3) + varint(type));
}

TEST(SentencePieceFile, BadFilesAreRefusedAtTheirOffset) {
  struct Bad {
    const char* description;
    std::string file, what;
    uint64_t offset;
  };
  const std::string good = piece("<unk>", 2) + piece("a", 1);
  const Bad cases[] = {
      {"cut off", good.substr(0, good.size() - 1), "truncated", good.size() / 2 + 2},
      {"a length beyond the end", varint(1 << 3 | 2) + varint(UINT64_MAX), "truncated", 0},
      {"a number without an end", std::string(12, '\xff'), "more than ten bytes", 10},
      {"wire type 7", good + "\x0f", "wire type 7", good.size()},
      {"field 0", good + varint(2), "no number", good.size()},
      {"a piece that is a number", varint(1 << 3) + varint(5), "another type", 0},
      {"piece type 9", piece("a", 9), "type of piece 9", 5},
      {"a word model", bytes_field(2, varint(3 << 3) + varint(3)), "neither unigram nor BPE", 2},
      {"spaces as suffixes", bytes_field(2, varint(24 << 3) + varint(1)), "suffixes", 2},
  };
  EXPECT_EQ(text::read_sentence_piece(good, "m.model", {}).pieces.size(), 2u);
  for (const Bad& bad : cases) {
    SCOPED_TRACE(bad.description);
    try {
      text::read_sentence_piece(bad.file, "m.model", {});
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.place().file, "m.model");
      EXPECT_NE(error.message().find(bad.what), std::string::npos) << error.line();
      ASSERT_TRUE(error.place().offset.has_value());
      EXPECT_LE(*error.place().offset, bad.file.size()) << error.line();
    }
  }
}

TEST(SentencePieceFile, EveryPrefixAndFlippedByteIsReadOrRefused) {
  const std::string good = piece("<unk>", 2) + piece("<s>", 3) + piece("▁", 1) + piece("a", 1) + piece("<0x41>", 6) +
                           bytes_field(2, varint(3 << 3) + varint(2)) + bytes_field(3, varint(3 << 3) + varint(1));
  const auto read = [](const std::string& bytes) {
    try {
      const Tokenizer tokenizer(text::sentence_piece_parts(text::read_sentence_piece(bytes, "m.model", {}), {}));
      tokenizer.encode("a A");
    } catch (const Error&) {
    }
  };
  for (size_t size = 0; size < good.size(); ++size) read(good.substr(0, size));
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x81);
    read(bad);
  }
}

TEST(SentencePieceFile, TheFoldersConfigSaysWhichTokensAreAdded) {
  const auto model = test::kit_path("data/sentencepiece/bpe.model");
  ASSERT_TRUE(model);
  const test::TempDirectory folder;
  folder.write("tokenizer.model", test::read_file(*model));
  const auto load = [&](const char* config) {
    folder.write("tokenizer_config.json", config);
    return Tokenizer::load(folder.path().string()).encode("a").ids;
  };
  const std::vector<int32_t> plain = Tokenizer::load(folder.path().string()).encode("a", {.add_special = false}).ids;
  const auto framed = [&](std::vector<int32_t> before, const std::vector<int32_t>& after) {
    before.insert(before.end(), plain.begin(), plain.end());
    before.insert(before.end(), after.begin(), after.end());
    return before;
  };
  EXPECT_EQ(load(R"({"tokenizer_class": "LlamaTokenizer"})"), framed({1}, {}));
  EXPECT_EQ(load(R"({"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": false, "add_eos_token": true})"),
            framed({}, {2}));
  EXPECT_EQ(load(R"({"tokenizer_class": "T5Tokenizer"})"), framed({}, {2}));
  EXPECT_THROW(load(R"({"tokenizer_class": "XLMRobertaTokenizer"})"), Error) << "it renumbers the pieces";
}

TEST(SentencePieceFile, ModernLlamaPutsThePrefixBeforeTheFirstPartOnly) {
  const auto model = test::kit_path("data/sentencepiece/bpe.model");
  ASSERT_TRUE(model);
  const test::TempDirectory folder;
  folder.write("tokenizer.model", test::read_file(*model));
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "LlamaTokenizer", "legacy": true})");
  const auto old_ids = Tokenizer::load(folder.path().string()).encode("a</s>a", {.add_special = false}).ids;
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "LlamaTokenizer", "legacy": false})");
  const Tokenizer modern = Tokenizer::load(folder.path().string());
  const auto new_ids = modern.encode("a</s>a", {.add_special = false}).ids;
  EXPECT_EQ(old_ids.front(), old_ids.back()) << "both begin with a space";
  EXPECT_EQ(new_ids.front(), old_ids.front());
  EXPECT_NE(new_ids.back(), old_ids.back());
  EXPECT_EQ(modern.id_to_token(new_ids.back()), "a");
}

// ---- the files before tokenizer.json, made from one: the same tokens must come out

struct Recorded {
  JsonDocument tokenizer, cases;
};

std::optional<Recorded> recorded(const std::string& name) {
  const auto folder = test::kit_path("data/tokenizers/" + name);
  if (!folder) return std::nullopt;
  return Recorded{JsonDocument::read((*folder / "tokenizer.json").string()),
                  JsonDocument::read((*folder / "cases.json").string())};
}

void expect_recorded(const Tokenizer& tokenizer, const Json& cases, bool specials) {
  size_t compared = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const bool add_special = cases[i].at("add_special").as_bool();
    if (add_special && !specials) continue;
    EncodeOptions options{.add_special = add_special};
    if (const auto pair = cases[i].find("pair")) options.pair = pair->as_string();
    const Encoding encoding = tokenizer.encode(cases[i].at("text").as_string(), options);
    EXPECT_EQ(encoding.ids, ids_of(cases[i].at("ids"))) << cases[i].at("text").as_string();
    EXPECT_EQ(tokenizer.decode(encoding.ids), cases[i].at("decoded").as_string());
    ++compared;
  }
  EXPECT_GT(compared, 100u);
}

TEST(ClassicFiles, VocabAndMergesGiveGpt2sTokens) {
  const auto gpt2 = recorded("gpt-2");
  if (!gpt2) GTEST_SKIP() << test::kit_missing("data/tokenizers/gpt-2");
  const Json model = gpt2->tokenizer.root().at("model"), vocab = model.at("vocab"), merges = model.at("merges");
  JsonWriter json;
  json.begin_object();
  for (size_t i = 0; i < vocab.size(); ++i) json.member(vocab.key(i), vocab.value(i).as_int());
  std::string lines = "#version: 0.2\n";
  for (size_t i = 0; i < merges.size(); ++i) lines += std::string(merges[i].as_string()) + "\n";
  const test::TempDirectory folder;
  folder.write("vocab.json", json.end_object().text());
  folder.write("merges.txt", lines);
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|endoftext|>"})");
  expect_recorded(Tokenizer::load(folder.path().string()), gpt2->cases.root().at("cases"), true);
}

TEST(ClassicFiles, VocabTxtGivesBertsTokens) {
  const auto bert = recorded("bert-bge");
  if (!bert) GTEST_SKIP() << test::kit_missing("data/tokenizers/bert-bge");
  const Json vocab = bert->tokenizer.root().at("model").at("vocab");
  std::vector<std::string> tokens(vocab.size());
  for (size_t i = 0; i < vocab.size(); ++i) tokens.at(static_cast<size_t>(vocab.value(i).as_int())) = vocab.key(i);
  std::string lines;
  for (const std::string& token : tokens) lines += token + "\n";
  const test::TempDirectory folder;
  folder.write("vocab.txt", lines);
  expect_recorded(Tokenizer::load(folder.path().string()), bert->cases.root().at("cases"), true);
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "BertTokenizer", "do_lower_case": false})");
  const Tokenizer cased = Tokenizer::load(folder.path().string());
  EXPECT_EQ(cased.id_to_token(cased.encode("Hello", {.add_special = false}).ids.at(0)), "[UNK]")
      << "the vocabulary is lower case";
}

TEST(ClassicFiles, RanksOfTiktokenGiveWhispersTokens) {
  const auto whisper = recorded("whisper");
  const auto ranks = test::kit_path("data/vocab/whisper-multilingual.tiktoken");
  if (!whisper || !ranks) GTEST_SKIP() << test::kit_missing("data/vocab/whisper-multilingual.tiktoken");
  const Tokenizer tokenizer = Tokenizer::load(ranks->string());
  const Json cases = whisper->cases.root().at("cases");
  size_t compared = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string_view text = cases[i].at("text").as_string();
    // The file of ranks holds no special tokens.
    if (cases[i].find("pair") || cases[i].at("add_special").as_bool() || text.find("<|") != std::string_view::npos)
      continue;
    const std::vector<int32_t> expected = ids_of(cases[i].at("ids"));
    if (std::ranges::any_of(expected, [](int32_t id) { return id >= 50'256; })) continue;
    EXPECT_EQ(tokenizer.encode(text, {.add_special = false}).ids, expected) << text;
    ++compared;
  }
  EXPECT_GT(compared, 100u);
}

TEST(ClassicFiles, BadLinesAreNamed) {
  const test::TempDirectory folder;
  const auto message = [&](const char* name, const std::string& content) {
    try {
      Tokenizer::load(folder.write(name, content).string());
    } catch (const Error& error) {
      return error.line();
    }
    return std::string("accepted");
  };
  EXPECT_NE(message("a.tiktoken", "YQ== 0\nYg=="), "accepted");
  EXPECT_NE(message("a.tiktoken", "YQ== 0\nYg==").find("line 2"), std::string::npos);
  EXPECT_NE(message("a.tiktoken", "YQ== 0\nYQ== 1").find("line 2"), std::string::npos);
  EXPECT_NE(message("a.tiktoken", "Y!== 0").find("Base64"), std::string::npos);
  EXPECT_NE(message("a.tiktoken", "YQ== 0\n").find("1 ranks"), std::string::npos) << "no published file";
  EXPECT_NE(message("vocab.txt", "[UNK]\na\na\n").find("line 3"), std::string::npos);
  EXPECT_NE(message("vocab.txt", "[UNK]\n\xff\n").find("line 2"), std::string::npos);
  folder.write("vocab.json", R"({"a": 0, "b": 1})");
  folder.write("merges.txt", "#version: 0.2\na b\n");
  std::filesystem::remove(folder / "vocab.txt");
  std::filesystem::remove(folder / "a.tiktoken");
  try {
    Tokenizer::load(folder.path().string());
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.place().field, "line 2") << error.line();
  }
}

TEST(TokenizerFolder, TokensOfTheConfigAreAddedToTokenizerJson) {
  const test::TempDirectory folder;
  folder.write("tokenizer.json",
               R"({"model": {"type": "WordLevel", "vocab": {"a": 0, "[UNK]": 1}, "unk_token": "[UNK]"},
                                     "pre_tokenizer": {"type": "WhitespaceSplit"}})");
  folder.write("tokenizer_config.json", R"({"added_tokens_decoder": {"2": {"content": "<x>", "special": true}}})");
  EXPECT_EQ(Tokenizer::load(folder.path().string()).encode("a<x>").ids, (std::vector<int32_t>{0, 2}));
}

TEST(TokenizerFolder, WithoutAnyOfTheFilesIsAnError) {
  const test::TempDirectory folder;
  EXPECT_FALSE(Tokenizer::is_in(folder.path().string()));
  EXPECT_THROW(Tokenizer::load(folder.path().string()), Error);
}

}  // namespace
}  // namespace braid
