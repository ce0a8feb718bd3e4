// The kinds of parts, one by one, where the recorded tokenizers do not show them.

#include <gtest/gtest.h>

#include "core/error.h"
#include "text/small_tokenizer.h"

namespace braid {
namespace {

using test::normalized;
using test::words_of;
using Ids = std::vector<int32_t>;
using Words = std::vector<std::string>;
using Offsets = std::vector<std::pair<int64_t, int64_t>>;

TEST(Normalizers, RewriteText) {
  EXPECT_EQ(normalized(R"({"type":"NFKC"})", "ﬁ①"), "fi1");
  EXPECT_EQ(normalized(R"({"type":"NFKD"})", "é"), "e\u0301");
  EXPECT_EQ(normalized(R"({"type":"Lowercase"})", "ÄBİ"), "äbi\u0307");
  EXPECT_EQ(normalized(R"({"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"}]})", "éà\u0302ñ"),
            "ean");
  EXPECT_EQ(normalized(R"({"type":"Strip","strip_left":true,"strip_right":false})", " \u2003a "), "a ");
  EXPECT_EQ(normalized(R"({"type":"Strip","strip_left":true,"strip_right":true})", " a \n"), "a");
  EXPECT_EQ(normalized(R"({"type":"Strip","strip_left":true,"strip_right":true})", "  "), "");
  EXPECT_EQ(normalized(R"({"type":"Prepend","prepend":"ab"})", "c"), "abc");
  EXPECT_EQ(normalized(R"({"type":"Prepend","prepend":"ab"})", ""), "");
  EXPECT_EQ(normalized(R"({"type":"Replace","pattern":{"Regex":"a+"},"content":"-"})", "caaat"), "c-t");
  EXPECT_EQ(normalized(R"({"type":"Replace","pattern":{"String":"aa"},"content":""})", "caaat"), "cat");
  EXPECT_EQ(normalized(R"({"type":"Nmt"})", "a\u0001b\tc\u200Bd\u2581"), "ab c d ");
  EXPECT_EQ(normalized(R"({"type":"ByteLevel"})", "a é"), "aĠÃ©");
}

TEST(Normalizers, OfBertTakeTheirOptionsOneByOne) {
  const auto bert = [](const char* clean, const char* chinese, const char* accents, const char* lower) {
    return std::string(R"({"type":"BertNormalizer","clean_text":)") + clean + R"(,"handle_chinese_chars":)" + chinese +
           R"(,"strip_accents":)" + accents + R"(,"lowercase":)" + lower + "}";
  };
  EXPECT_EQ(normalized(bert("true", "false", "false", "false"), "A\uFFFD\u0007é\t中"), "Aé 中");
  EXPECT_EQ(normalized(bert("false", "true", "false", "false"), "A中é"), "A 中 é");
  EXPECT_EQ(normalized(bert("false", "false", "true", "false"), "Aé"), "Ae");
  EXPECT_EQ(normalized(bert("false", "false", "false", "true"), "Aé"), "aé");
  EXPECT_EQ(normalized(bert("false", "false", "null", "true"), "Aé"), "ae")
      << "accents go with the case unless told otherwise";
}

TEST(Normalizers, KeepTheOffsetsOfTheOriginal) {
  const auto offsets = [](const std::string& normalizer, const std::string& text) {
    return test::tokenizer_of(test::kLetters, "\"normalizer\":" + normalizer + ",").encode(text).offsets;
  };
  EXPECT_EQ(offsets(R"({"type":"NFKD"})", "aﬁb"), (Offsets{{0, 1}, {1, 2}, {1, 2}, {2, 3}}));
  EXPECT_EQ(offsets(R"({"type":"Replace","pattern":{"String":"xyz"},"content":"ab"})", "cxyzd"),
            (Offsets{{0, 1}, {3, 4}, {3, 4}, {4, 5}}));
  EXPECT_EQ(offsets(R"({"type":"Prepend","prepend":"▁"})", "ab"), (Offsets{{0, 1}, {0, 1}, {1, 2}}));
  EXPECT_EQ(offsets(R"({"type":"Strip","strip_left":true,"strip_right":true})", "  ab "), (Offsets{{2, 3}, {3, 4}}));
  EXPECT_EQ(offsets(R"({"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"}]})", "éa\u0301b"),
            (Offsets{{0, 1}, {1, 2}, {3, 4}}));
}

TEST(PreTokenizers, CutText) {
  EXPECT_EQ(words_of(R"({"type":"Whitespace"})", "Hi, you_2 ok?!"), (Words{"Hi", ",", "you_2", "ok", "?!"}));
  EXPECT_EQ(words_of(R"({"type":"WhitespaceSplit"})", " a  b,c\n"), (Words{"a", "b,c"}));
  EXPECT_EQ(words_of(R"({"type":"CharDelimiterSplit","delimiter":"-"})", "a-b--c"), (Words{"a", "b", "c"}));
  EXPECT_EQ(words_of(R"({"type":"Digits","individual_digits":true})", "a12b"), (Words{"a", "1", "2", "b"}));
  EXPECT_EQ(words_of(R"({"type":"Digits","individual_digits":false})", "a12b"), (Words{"a", "12", "b"}));
  EXPECT_EQ(words_of(R"({"type":"FixedLength","length":2})", "abcde"), (Words{"ab", "cd", "e"}));
  EXPECT_EQ(words_of(R"({"type":"Punctuation"})", "a,.b"), (Words{"a", ",", ".", "b"}));
  EXPECT_EQ(words_of(R"({"type":"Punctuation","behavior":"Contiguous"})", "a,.b"), (Words{"a", ",.", "b"}));
  EXPECT_EQ(words_of(R"({"type":"BertPreTokenizer"})", "a,b  c$"), (Words{"a", ",", "b", "c", "$"}));
  EXPECT_EQ(words_of(R"({"type":"ByteLevel","add_prefix_space":false})", "a b  1"), (Words{"a", " b", " ", " 1"}));
  EXPECT_EQ(words_of(R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})", "a b"), (Words{"a b"}));
  EXPECT_EQ(words_of(R"({"type":"Split","pattern":{"String":""},"behavior":"Isolated","invert":false})", "abc"),
            (Words{"a", "b", "c"}));
}

TEST(PreTokenizers, TreatDelimitersAsTheirBehaviourSays) {
  const auto split = [](const std::string& behavior, const char* invert = "false") {
    return words_of(
        R"({"type":"Split","pattern":{"String":"-"},"behavior":")" + behavior + R"(","invert":)" + invert + "}",
        "the-final--countdown-");
  };
  EXPECT_EQ(split("Removed"), (Words{"the", "final", "countdown"}));
  EXPECT_EQ(split("Isolated"), (Words{"the", "-", "final", "-", "-", "countdown", "-"}));
  EXPECT_EQ(split("MergedWithPrevious"), (Words{"the-", "final-", "-", "countdown-"}));
  EXPECT_EQ(split("MergedWithNext"), (Words{"the", "-final", "-", "-countdown", "-"}));
  EXPECT_EQ(split("Contiguous"), (Words{"the", "-", "final", "--", "countdown", "-"}));
  EXPECT_EQ(split("Removed", "true"), (Words{"-", "-", "-", "-"}));
}

TEST(PreTokenizers, OfMetaspacePrependAsTheirSchemeSays) {
  const auto ids = [](const std::string& scheme, const std::string& text) {
    return test::tokenizer_of(
               test::kLetters,
               R"("added_tokens":[{"id":30,"content":"S","special":true}],"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":")" +
                   scheme + "\"},")
        .encode(text)
        .ids;
  };
  EXPECT_EQ(ids("always", "a bSc"), (Ids{27, 0, 27, 1, 30, 27, 2}));
  EXPECT_EQ(ids("first", "a bSc"), (Ids{27, 0, 27, 1, 30, 2}));
  EXPECT_EQ(ids("first", "Sa"), (Ids{30, 0}));
  EXPECT_EQ(ids("never", "a bSc"), (Ids{0, 27, 1, 30, 2}));
  EXPECT_EQ(ids("always", " a"), (Ids{27, 0})) << "the space there is already does";
}

TEST(PreTokenizers, AfterByteLevelSeeTheSpellingOfTheBytes) {
  const std::string sequence =
      R"({"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false,"use_regex":false},)"
      R"({"type":"Split","pattern":{"String":"Ġ"},"behavior":"Isolated","invert":false}]})";
  EXPECT_EQ(words_of(sequence, "a b"), (Words{"a", " ", "b"}));
}

Tokenizer with_processor(const std::string& processor) {
  return test::tokenizer_of(test::kLetters, "\"post_processor\":" + processor + ",");
}

TEST(PostProcessors, OfBertAndRobertaAddTheirTokens) {
  const Tokenizer bert = with_processor(R"({"type":"BertProcessing","sep":["]",41],"cls":["[",40]})");
  EXPECT_EQ(bert.encode("ab").ids, (Ids{40, 0, 1, 41}));
  const Encoding pair = bert.encode("a", {.pair = "b"});
  EXPECT_EQ(pair.ids, (Ids{40, 0, 41, 1, 41}));
  EXPECT_EQ(pair.type_ids, (Ids{0, 0, 0, 1, 1}));
  EXPECT_EQ(bert.encode("a", {.add_special = false, .pair = "b"}).ids, (Ids{0, 1}));
  const Tokenizer roberta = with_processor(
      R"({"type":"RobertaProcessing","sep":["</s>",41],"cls":["<s>",40],"trim_offsets":true,"add_prefix_space":false})");
  const Encoding other = roberta.encode("a ", {.pair = "b"});
  EXPECT_EQ(other.ids, (Ids{40, 0, 26, 41, 41, 1, 41}));
  EXPECT_EQ(other.type_ids, (Ids(7, 0)));
  EXPECT_EQ(other.offsets, (Offsets{{0, 0}, {0, 1}, {2, 2}, {0, 0}, {0, 0}, {0, 1}, {0, 0}}))
      << "a space has no extent";
}

TEST(PostProcessors, RunInTheirSequence) {
  const Tokenizer tokenizer =
      with_processor(R"({"type":"Sequence","processors":[{"type":"BertProcessing","sep":["]",41],"cls":["[",40]},)"
                     R"({"type":"ByteLevel","trim_offsets":true,"add_prefix_space":false}]})");
  const Encoding encoding = tokenizer.encode("a b");
  EXPECT_EQ(encoding.ids, (Ids{40, 0, 26, 1, 41}));
  EXPECT_EQ(encoding.offsets, (Offsets{{0, 0}, {0, 1}, {2, 2}, {2, 3}, {0, 0}}));
}

std::string decoded(const std::string& decoder, const std::vector<std::string>& tokens) {
  std::string vocabulary;
  Ids ids;
  std::vector<std::string> known;
  for (const std::string& token : tokens) {
    const auto at = std::find(known.begin(), known.end(), token);
    ids.push_back(static_cast<int32_t>(at - known.begin()));
    if (at != known.end()) continue;
    vocabulary += (known.empty() ? "\"" : ",\"") + token + "\":" + std::to_string(known.size());
    known.push_back(token);
  }
  return test::tokenizer_of(R"({"type":"WordLevel","vocab":{)" + vocabulary + R"(},"unk_token":"?"})",
                            "\"decoder\":" + decoder + ",")
      .decode(ids);
}

TEST(Decoders, JoinTokens) {
  EXPECT_EQ(decoded("null", {"a", "b"}), "a b") << "without a decoder: words";
  EXPECT_EQ(decoded(R"({"type":"Fuse"})", {"a", "b"}), "ab");
  EXPECT_EQ(decoded(R"({"type":"WordPiece","prefix":"##","cleanup":true})", {"he", "##llo", ",", "do", "n't", "##x"}),
            "hello, don'tx");
  EXPECT_EQ(decoded(R"({"type":"WordPiece","prefix":"##","cleanup":false})", {"he", "##llo", ","}), "hello ,");
  EXPECT_EQ(decoded(R"({"type":"BPEDecoder","suffix":"</w>"})", {"he", "llo</w>", "you</w>"}), "hello you");
  EXPECT_EQ(decoded(R"({"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true})",
                    {"<pad>", "h", "h", "<pad>", "h", "i", "|", "|", "a"}),
            "hhi a");
  EXPECT_EQ(decoded(R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always"})", {"▁a", "▁b"}), "a b");
  EXPECT_EQ(decoded(R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"never"})", {"▁a", "▁b"}), " a b");
  EXPECT_EQ(decoded(R"({"type":"Strip","content":" ","start":2,"stop":1})", {"   a  "}), " a ");
  EXPECT_EQ(decoded(R"({"type":"Replace","pattern":{"Regex":"[ab]"},"content":"-"})", {"cab"}), "c--");
  EXPECT_EQ(decoded(R"({"type":"ByteFallback"})", {"<0xC3>", "<0xA9>", "x", "<0xC3>", "y", "<0xG1>"}),
            "éx\uFFFDy<0xG1>");
  EXPECT_EQ(decoded(R"({"type":"ByteLevel"})", {"Ã", "©Ġ", "a b"}), "é a b")
      << "a token of other characters stands for itself";
}

TEST(Models, OfWholeWordsKnowAWordOrDoNot) {
  const Tokenizer tokenizer = test::tokenizer_of(R"({"type":"WordLevel","vocab":{"?":0,"ab":1},"unk_token":"?"})",
                                                 R"("pre_tokenizer":{"type":"WhitespaceSplit"},)");
  EXPECT_EQ(tokenizer.encode("ab b").ids, (Ids{1, 0}));
  const Tokenizer strict = test::tokenizer_of(R"({"type":"WordLevel","vocab":{"ab":1}})");
  EXPECT_EQ(strict.encode("ab").ids, (Ids{1}));
  EXPECT_THROW(strict.encode("b"), Error);
}

TEST(Models, OfWordPiecesTakeTheLongestFirst) {
  const Tokenizer tokenizer = test::tokenizer_of(
      R"({"type":"WordPiece","unk_token":"?","continuing_subword_prefix":"##","max_input_chars_per_word":6,"vocab":{"?":0,"un":1,"##aff":2,"##able":3,"u":4,"##é":5}})");
  EXPECT_EQ(tokenizer.encode("unaff").ids, (Ids{1, 2}));
  EXPECT_EQ(tokenizer.encode("uné").offsets, (Offsets{{0, 2}, {2, 3}}));
  EXPECT_EQ(tokenizer.encode("unx").ids, (Ids{0})) << "the whole word is unknown";
  EXPECT_EQ(tokenizer.encode("unaffable").ids, (Ids{0})) << "longer than a word may be";
}

TEST(Models, OfUnigramsTakeTheLikeliestCut) {
  const std::string vocabulary =
      R"("vocab":[["<unk>",0],["a",-1],["b",-1],["ab",-1.5],["bc",-3],["abc",-5],["<0xC3>",-9],["<0xA9>",-9]])";
  const Tokenizer tokenizer = test::tokenizer_of(R"({"type":"Unigram","unk_id":0,)" + vocabulary + "}");
  EXPECT_EQ(tokenizer.encode("ab").ids, (Ids{3}));
  EXPECT_EQ(tokenizer.encode("abc").ids, (Ids{1, 4})) << "-4 beats -5";
  EXPECT_EQ(tokenizer.encode("axyb").ids, (Ids{1, 0, 2})) << "unknown characters in a row are one token";
  EXPECT_EQ(tokenizer.encode("axyb").offsets, (Offsets{{0, 1}, {1, 3}, {3, 4}}));
  const Tokenizer bytes =
      test::tokenizer_of(R"({"type":"Unigram","unk_id":0,"byte_fallback":true,)" + vocabulary + "}");
  EXPECT_EQ(bytes.encode("aé").ids, (Ids{1, 6, 7}));
  EXPECT_EQ(bytes.encode("aü").ids, (Ids{1, 0})) << "a byte of it has no token";
  EXPECT_THROW(test::tokenizer_of(R"({"type":"Unigram",)" + vocabulary + "}").encode("x"), Error);
}

TEST(Models, OfBytePairsFollowTheirFlags) {
  const std::string vocabulary =
      R"("vocab":{"?":0,"a":1,"b":2,"ab":3,"<0xC3>":4,"<0xA9>":5,"b</w>":6,"##b":7,"ab</w>":8},)";
  const auto ids = [&](const std::string& flags, const std::string& text) {
    return test::tokenizer_of(R"({"type":"BPE",)" + vocabulary + flags + "}").encode(text).ids;
  };
  EXPECT_EQ(ids(R"("merges":[],"unk_token":"?")", "xyb"), (Ids{0, 0, 2}));
  EXPECT_EQ(ids(R"("merges":[],"unk_token":"?","fuse_unk":true)", "xyb"), (Ids{0, 2}));
  EXPECT_EQ(ids(R"("merges":[],"unk_token":"?","byte_fallback":true)", "éü"), (Ids{4, 5, 0}));
  EXPECT_EQ(ids(R"("merges":[],"ignore_merges":true)", "ab"), (Ids{3}));
  EXPECT_EQ(ids(R"("merges":[])", "ab"), (Ids{1, 2}));
  EXPECT_EQ(ids(R"("merges":["a b</w>"],"end_of_word_suffix":"</w>")", "ab"), (Ids{8}));
  EXPECT_EQ(ids(R"("merges":["a ##b"],"continuing_subword_prefix":"##")", "ab"), (Ids{3}));
  EXPECT_EQ(ids(R"("merges":["#version: 0.2","a b"])", "ab"), (Ids{3})) << "the header of a merges.txt";
}

TEST(Models, WithoutATypeAreKnownByTheirMembers) {
  EXPECT_EQ(test::tokenizer_of(R"({"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})").encode("ab").ids, (Ids{2}));
  EXPECT_EQ(test::tokenizer_of(R"({"vocab":[["?",0],["a",-1]],"unk_id":0})").encode("a").ids, (Ids{1}));
  EXPECT_EQ(test::tokenizer_of(R"({"vocab":{"a":0},"unk_token":"a"})").encode("a").ids, (Ids{0}));
}

}  // namespace
}  // namespace braid
