// Bad tokenizer.json files: each is refused with the place in the file and a word about what is wrong.

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "support/kit.h"
#include "text/small_tokenizer.h"
#include "text/tokenizer.h"

namespace braid {
namespace {

struct BadFile {
  std::string name;
  std::string json;
  std::string field;  ///< the JSON path that the error names
  std::string word;   ///< what its message holds
};
void PrintTo(const BadFile& bad, std::ostream* out) { *out << bad.name; }

std::string bpe(const std::string& vocabulary, const std::string& merges, const std::string& more = "") {
  return R"({"model":{"type":"BPE","vocab":)" + vocabulary + R"(,"merges":)" + merges + more + "}}";
}
std::string added(const std::string& list) {
  return test::tokenizer_json(R"({"type":"BPE","vocab":{"a":0,"b":1},"merges":[]})", "\"added_tokens\":" + list + ",");
}
std::string with(const std::string& member, const std::string& content) {
  return test::tokenizer_json(test::kLetters, "\"" + member + "\":" + content + ",");
}
std::string unigram(const std::string& vocabulary, const std::string& more) {
  return R"({"model":{"type":"Unigram","vocab":)" + vocabulary + more + "}}";
}

const std::vector<BadFile>& bad_files() {
  static const std::vector<BadFile> kFiles = {
      // reliability: a merge that names an absent token
      {"MergeWithoutItsFirst", bpe(R"({"a":0,"b":1,"ab":2})", R"(["a b","x b"])"), "model.merges[1]", "\"x\""},
      {"MergeWithoutItsSecond", bpe(R"({"a":0,"b":1,"ab":2})", R"([["a","y"]])"), "model.merges[0]", "\"y\""},
      {"MergeWithoutItsResult", bpe(R"({"a":0,"b":1})", R"(["a b"])"), "model.merges[0]", "\"ab\""},
      {"MergeOfThree", bpe(R"({"a":0})", R"([["a","a","a"]])"), "model.merges[0]", "3"},
      {"MergeOfOneWord", bpe(R"({"a":0})", R"(["aa"])"), "model.merges[0]", "aa"},
      {"MergeOfThreeWords", bpe(R"({"a":0})", R"(["a a a"])"), "model.merges[0]", "a a a"},
      {"MergeThatIsANumber", bpe(R"({"a":0})", R"([7])"), "model.merges[0]", "string"},
      {"MergesThatAreNoList", bpe(R"({"a":0})", R"({"a":1})"), "model.merges", "list"},
      {"SecondShorterThanThePrefix", bpe(R"({"a":0,"b":1})", R"(["a b"])", R"(,"continuing_subword_prefix":"##")"),
       "model.merges[0]", "prefix"},
      // duplicate, negative and huge ids
      {"DuplicateId", bpe(R"({"a":0,"b":0})", "[]"), "model.vocab.b", "taken by \"a\""},
      {"NegativeId", bpe(R"({"a":-1})", "[]"), "model.vocab.a", "negative"},
      {"HugeId", bpe(R"({"a":4000000000})", "[]"), "model.vocab.a", "limit"},
      {"IdBeyond64Bits", bpe(R"({"a":18446744073709551615})", "[]"), "model.vocab.a", "64 bits"},
      {"FractionalId", bpe(R"({"a":0.5})", "[]"), "model.vocab.a", "integer"},
      {"IdOfText", bpe(R"({"a":"0"})", "[]"), "model.vocab.a", "integer"},
      {"DuplicateToken", bpe(R"({"a":0,"\u0061":1})", "[]"), "model.vocab.a", "duplicate"},
      {"VocabularyThatIsAList", bpe("[]", "[]"), "model.vocab", "object"},
      {"UnknownTokenNotInVocabulary", bpe(R"({"a":0})", "[]", R"(,"unk_token":"?")"), "model.unk_token", "\"?\""},
      {"AddedIdTakenByTheVocabulary", added(R"([{"id":1,"content":"x"}])"), "added_tokens[0].id", "taken by \"b\""},
      {"AddedTokenOfAnotherId", added(R"([{"id":7,"content":"b"}])"), "added_tokens[0].id", "the id 1"},
      {"AddedIdTwice", added(R"([{"id":7,"content":"x"},{"id":7,"content":"y"}])"), "added_tokens[1].id",
       "taken by \"x\""},
      {"AddedTokenTwice", added(R"([{"id":7,"content":"x"},{"id":8,"content":"x"}])"), "added_tokens[1].id",
       "7 as well"},
      {"AddedIdNegative", added(R"([{"id":-7,"content":"x"}])"), "added_tokens[0].id", "negative"},
      {"AddedIdHuge", added(R"([{"id":2147483648,"content":"x"}])"), "added_tokens[0].id", "limit"},
      {"AddedTokenWithoutContent", added(R"([{"id":7}])"), "added_tokens[0]", "content"},
      {"AddedTokenTooLong", added(R"([{"id":7,"content":")" + std::string(2000, 'x') + "\"}]"),
       "added_tokens[0].content", "too long"},
      // kinds that nobody knows
      {"UnknownModel", R"({"model":{"type":"Oracle"}})", "model.type", "Oracle"},
      {"UnknownNormalizer",
       with("normalizer", R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Rot13"}]})"),
       "normalizer.normalizers[1].type", "Rot13"},
      {"UnknownPreTokenizer", with("pre_tokenizer", R"({"type":"Dice"})"), "pre_tokenizer.type", "Dice"},
      {"UnknownPostProcessor", with("post_processor", R"({"type":"Post"})"), "post_processor.type", "Post"},
      {"UnknownDecoder", with("decoder", R"({"type":"Enigma"})"), "decoder.type", "Enigma"},
      {"UnknownBehaviour",
       with("pre_tokenizer", R"({"type":"Split","pattern":{"String":"-"},"behavior":"Eaten","invert":false})"),
       "pre_tokenizer.behavior", "Eaten"},
      {"UnknownVersion", with("version", "\"2.0\""), "version", "2.0"},
      {"NoType", with("decoder", "{}"), "decoder", "type"},
      {"NoModel", "{}", "", "model"},
      // patterns
      {"PatternThatDoesNotCompile",
       with("pre_tokenizer", R"({"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated","invert":false})"),
       "pre_tokenizer.pattern.Regex", "(a"},
      {"PatternWithAnIntersection",
       with("pre_tokenizer",
            R"({"type":"Split","pattern":{"Regex":"[a-z&&[^b]]"},"behavior":"Isolated","invert":false})"),
       "pre_tokenizer.pattern.Regex", "&&"},
      {"PatternOfAnotherKind", with("normalizer", R"({"type":"Replace","pattern":{"Glob":"*"},"content":""})"),
       "normalizer.pattern", "Regex"},
      // templates
      {"TemplateWithoutItsToken",
       with(
           "post_processor",
           R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"X","type_id":0}}],"pair":[],"special_tokens":{}})"),
       "post_processor.special_tokens", "X"},
      {"TemplateOfThree",
       with(
           "post_processor",
           R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"C","type_id":0}}],"pair":[],"special_tokens":{}})"),
       "post_processor.single[0].Sequence", "A and B"},
      {"SingleTemplateWithASecondText",
       with(
           "post_processor",
           R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"B","type_id":0}}],"pair":[],"special_tokens":{}})"),
       "post_processor.single[0]", "second"},
      {"PairTemplateWithOneText",
       with(
           "post_processor",
           R"({"type":"TemplateProcessing","single":[],"pair":[{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{}})"),
       "post_processor.pair", "both"},
      {"TemplateIdNegative", with("post_processor", R"({"type":"BertProcessing","sep":["s",-2],"cls":["c",1]})"),
       "post_processor.sep[1]", "negative"},
      // Unigram and the rest
      {"UnigramWithoutScore", unigram(R"([["a"]])", ""), "model.vocab[0]", "score"},
      {"UnigramTokenTwice", unigram(R"([["a",0],["a",1]])", ""), "model.vocab[1]", "twice"},
      {"UnigramUnknownBeyondTheEnd", unigram(R"([["a",0]])", R"(,"unk_id":1)"), "model.unk_id",
       "not in the vocabulary"},
      {"CharacterMapCutOff", with("normalizer", R"({"type":"Precompiled","precompiled_charsmap":"AA=="})"),
       "normalizer.precompiled_charsmap", "cut off"},
      {"CharacterMapWithALyingSize", with("normalizer", R"({"type":"Precompiled","precompiled_charsmap":"/////w=="})"),
       "normalizer.precompiled_charsmap", "fit"},
      {"CharacterMapThatIsNoBase64", with("normalizer", R"({"type":"Precompiled","precompiled_charsmap":"A*=="})"),
       "normalizer.precompiled_charsmap", "Base64"},
      {"StripOfTwoCharacters", with("decoder", R"({"type":"Strip","content":"ab","start":1,"stop":0})"),
       "decoder.content", "one character"},
      {"MetaspaceThatContradictsItself",
       with("pre_tokenizer",
            R"({"type":"Metaspace","replacement":"_","add_prefix_space":false,"prepend_scheme":"always"})"),
       "pre_tokenizer.prepend_scheme", "contradicts"},
      {"FixedLengthOfNothing", with("pre_tokenizer", R"({"type":"FixedLength","length":0})"), "pre_tokenizer.length",
       "no characters"},
      {"NotJson", "{\"model\":", "", "JSON"},
      {"ListInsteadOfObject", "[]", "", "object"},
  };
  return kFiles;
}

class BadTokenizer : public testing::TestWithParam<BadFile> {};

TEST_P(BadTokenizer, IsRefusedWithItsFileItsPlaceAndTheReason) {
  const BadFile& bad = GetParam();
  try {
    Tokenizer::parse(bad.json, "bad/tokenizer.json");
    FAIL() << "taken: " << bad.json.substr(0, 300);
  } catch (const Error& error) {
    EXPECT_EQ(error.place().file, "bad/tokenizer.json") << error.what();
    EXPECT_EQ(error.place().field, bad.field) << error.what();
    EXPECT_NE(error.message().find(bad.word), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Files, BadTokenizer, testing::ValuesIn(bad_files()),
                         [](const auto& info) { return info.param.name; });

TEST(BadTokenizer, IsRefusedWhenTheFileIsMissing) {
  const test::TempDirectory folder;
  try {
    Tokenizer::load(folder.path().string());
    FAIL() << "loaded an empty folder";
  } catch (const Error& error) {
    EXPECT_NE(error.place().file.find("tokenizer.json"), std::string::npos);
  }
}

TEST(BadTokenizer, IsRefusedAtTheLimitOfItsVocabulary) {
  const std::string json = bpe(R"({"a":0,"b":1,"c":2})", "[]");
  EXPECT_NO_THROW(Tokenizer::parse(json, "t", {.max_vocabulary = 3}));
  EXPECT_THROW(Tokenizer::parse(json, "t", {.max_vocabulary = 2}), Error);
  EXPECT_THROW(Tokenizer::parse(bpe(R"({"abcd":0})", "[]"), "t", {.max_token_bytes = 3}), Error);
}

/// Every beginning of a file, and every byte of it replaced: refused with an Error or taken, never anything worse.
TEST(BadTokenizer, NeverDoesWorseThanAnError) {
  const std::string json = test::tokenizer_json(
      R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"Ġ":3},"merges":["a b"],"unk_token":null})",
      R"("added_tokens":[{"id":4,"content":"<s>","special":true}],"normalizer":{"type":"NFC"},)"
      R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\s+"},"behavior":"Isolated","invert":false},)"
      R"({"type":"ByteLevel","add_prefix_space":true}]},"decoder":{"type":"ByteLevel"},)"
      R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],)"
      R"("pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[4],"tokens":["<s>"]}}},)");
  size_t taken = 0;
  const auto attempt = [&](const std::string& text) {
    try {
      const Tokenizer tokenizer = Tokenizer::parse(text, "t");
      taken += tokenizer.encode("ab <s> é ab", {.pair = "b"}).ids.size() > 0;
    } catch (const Error&) {
    }
  };
  attempt(json);
  ASSERT_EQ(taken, 1u) << "the file itself is good";
  for (size_t length = 0; length < json.size(); ++length) attempt(json.substr(0, length));
  EXPECT_EQ(taken, 1u) << "no beginning of it is";
  for (size_t i = 0; i < json.size(); ++i) {
    for (const char flipped : {static_cast<char>(json[i] ^ 1), static_cast<char>(json[i] ^ 0x80), '0', '"', '}'}) {
      std::string text = json;
      text[i] = flipped;
      attempt(text);
    }
  }
}

/// A seed that is refused at once would teach the fuzzer nothing.
TEST(FuzzSeeds, AreGoodTokenizers) {
  size_t seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::kit_path("tests/fuzz/seeds/tokenizer").value())) {
    const std::string content = test::read_file(entry.path());
    EXPECT_NO_THROW(Tokenizer::parse(content.substr(0, content.find("\n%%\n")), entry.path())) << entry.path();
    ++seeds;
  }
  EXPECT_GT(seeds, 0u);
}

}  // namespace
}  // namespace braid
