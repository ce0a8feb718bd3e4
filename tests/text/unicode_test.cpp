// Characters: UTF-8, properties, normalisation forms, the byte alphabet.

#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "text/unicode/byte_alphabet.h"
#include "text/unicode/forms.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid {
namespace {

TEST(Utf8, ReadsBackEveryCodePointThatItWrites) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    utf8::append(text, c);
    ASSERT_EQ(utf8::decode(text, 0).code_point, c);
    ASSERT_EQ(utf8::decode(text, 0).bytes, text.size());
    ASSERT_EQ(utf8::length(text[0]), text.size());
    ASSERT_EQ(utf8::previous(text, text.size()), 0u);
    ASSERT_EQ(utf8::first_invalid(text), std::nullopt);
  }
}

TEST(Utf8, WritesOverACharacterOfTheSameLengthOnly) {
  std::string text = "aé中🦙";
  EXPECT_TRUE(utf8::overwrite(text, 0, 1, U'b'));
  EXPECT_TRUE(utf8::overwrite(text, 1, 2, U'ü'));
  EXPECT_FALSE(utf8::overwrite(text, 3, 3, U'x'));
  EXPECT_TRUE(utf8::overwrite(text, 6, 4, U'😀'));
  EXPECT_EQ(text, "bü中😀");
}

TEST(Utf8, FindsTheFirstByteOfTheFirstBrokenSequence) {
  EXPECT_EQ(utf8::first_invalid("0123456789abcdef"), std::nullopt);
  EXPECT_EQ(utf8::first_invalid("0123456789\x80"), 10u);
  EXPECT_EQ(utf8::first_invalid("é\xC1\xBF"), 2u) << "overlong";
  EXPECT_EQ(utf8::first_invalid("\xE0\x9F\xBF"), 0u) << "overlong";
  EXPECT_EQ(utf8::first_invalid("\xF0\x8F\xBF\xBF"), 0u) << "overlong";
  EXPECT_EQ(utf8::first_invalid("a\xED\xA0\x80"), 1u) << "surrogate";
  EXPECT_EQ(utf8::first_invalid("\xF4\x90\x80\x80"), 0u) << "beyond U+10FFFF";
  EXPECT_EQ(utf8::first_invalid("\xF5\x80\x80\x80"), 0u);
  EXPECT_EQ(utf8::first_invalid("ab\xE4\xB8"), 2u) << "cut off";
}

TEST(Utf8, ShowsEachMaximalBrokenPartAsOneReplacement) {
  const std::string r(utf8::kReplacement);
  EXPECT_EQ(utf8::lossy("a\xE4\xB8"
                        "b"),
            "a" + r + "b")
      << "one for a cut sequence";
  EXPECT_EQ(utf8::lossy("\xF0\x9F\xA6"), r);
  EXPECT_EQ(utf8::lossy("\xFF\xFE"), r + r);
  EXPECT_EQ(utf8::lossy("\xED\xA0\x80"), r + r + r) << "a surrogate is no beginning of anything";
  EXPECT_EQ(utf8::lossy("\xC0\xAF"), r + r);
  EXPECT_EQ(utf8::lossy("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                        "A"),
            r + r + r + r + "A")
      << "table 3-11 of the Unicode standard";
  EXPECT_EQ(utf8::lossy("é🦙"), "é🦙");
}

TEST(Properties, TellSpacesFromWhatOnlyLooksLikeThem) {
  for (const char32_t c : {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029,
                           0x202F, 0x205F, 0x3000}) {
    EXPECT_TRUE(unicode::is_space(c)) << std::hex << static_cast<uint32_t>(c);
  }
  for (const char32_t c : {0x00, 0x1F, 0x7F, 0x180E, 0x200B, 0x2060, 0xFEFF}) {
    EXPECT_FALSE(unicode::is_space(c)) << std::hex << static_cast<uint32_t>(c);
  }
}

TEST(Properties, GiveEveryCodePointOneCategory) {
  constexpr unicode::Classes kCategories = unicode::kL | unicode::kM | unicode::kN | unicode::kP | unicode::kS |
                                           unicode::kZ | unicode::kCc | unicode::kCf | unicode::kCo | unicode::kCn;
  for (char32_t c = 0; c <= 0x10FFFF; ++c)
    ASSERT_EQ(std::popcount(unicode::classes(c) & kCategories), 1) << std::hex << static_cast<uint32_t>(c);
}

TEST(Properties, KnowWordCharacters) {
  for (const char32_t c : {U'a', U'Z', U'5', U'_', U'é', U'中', U'\u0301', U'\u2160', U'\u200D', U'Ⓐ'})
    EXPECT_TRUE(unicode::is_word(c)) << static_cast<uint32_t>(c);
  for (const char32_t c : {U' ', U'-', U'.', U'$', U'½', U'\u200B'})
    EXPECT_FALSE(unicode::is_word(c)) << static_cast<uint32_t>(c);
}

TEST(Properties, LowerWithoutContext) {
  EXPECT_EQ(unicode::lowercase(U'A'), U"a");
  EXPECT_EQ(unicode::lowercase(U'Σ'), U"σ");
  EXPECT_EQ(unicode::lowercase(U'İ'), U"i\u0307");
  EXPECT_EQ(unicode::lowercase(U'ẞ'), U"ß");
  EXPECT_EQ(unicode::lowercase(U'ß'), U"ß");
}

std::string in_form(std::string_view text, unicode::Form form) {
  std::string out;
  for (const auto& change : unicode::normalize(text, form)) utf8::append(out, change.code_point);
  return out;
}

TEST(Forms, ComposeAndDecompose) {
  using unicode::Form;
  EXPECT_EQ(in_form("e\u0301", Form::nfc), "é");
  EXPECT_EQ(in_form("é", Form::nfd), "e\u0301");
  EXPECT_EQ(in_form("각", Form::nfd), "\u1100\u1161\u11A8");
  EXPECT_EQ(in_form("\u1100\u1161\u11A8", Form::nfc), "각");
  EXPECT_EQ(in_form("s\u0323\u0307", Form::nfc), "ṩ");
  EXPECT_EQ(in_form("s\u0307\u0323", Form::nfc), "ṩ") << "marks in canonical order";
  EXPECT_EQ(in_form("\u0958", Form::nfc), "\u0915\u093C") << "excluded from composition";
  EXPECT_EQ(in_form("\u212B", Form::nfc), "Å") << "a singleton";
  EXPECT_EQ(in_form("ﬁ½", Form::nfc), "ﬁ½");
  EXPECT_EQ(in_form("ﬁ½", Form::nfkc), "fi1⁄2");
  EXPECT_EQ(in_form("ǆ", Form::nfkd), "dz\u030C");
  EXPECT_EQ(in_form("a\u0300\u0300", Form::nfc), "à\u0300") << "the second mark of a class is blocked";
}

TEST(Forms, AccountForEveryCharacterOfTheInput) {
  for (const std::string text :
       {"e\u0301x", "각", "\u1100\u1161\u11A8\u0301", "ﬁ\uFDFA½", "\u0301a", "s\u0307\u0323q\u0323"}) {
    for (const auto form : {unicode::Form::nfc, unicode::Form::nfd, unicode::Form::nfkc, unicode::Form::nfkd}) {
      int64_t consumed = 0;
      for (const auto& change : unicode::normalize(text, form)) consumed += change.change > 0 ? 0 : 1 - change.change;
      EXPECT_EQ(consumed, static_cast<int64_t>(utf8::count(text))) << text;
    }
  }
}

/// What one look at each character passes as normalised is so in every form, alone and beside others of the kind.
TEST(Forms, PassNothingAsNormalizedThatIsNot) {
  const auto stays = [](const std::string& text) {
    for (const unicode::Form form :
         {unicode::Form::nfc, unicode::Form::nfd, unicode::Form::nfkc, unicode::Form::nfkd}) {
      std::string out;
      for (const unicode::Change& change : unicode::normalize(text, form)) utf8::append(out, change.code_point);
      if (out != text) return false;
    }
    return true;
  };
  std::string together;
  size_t passed = 0;
  for (char32_t c = 0; c < 0x30000; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    utf8::append(text, c);
    if (!unicode::surely_normalized(text)) continue;
    ++passed;
    ASSERT_TRUE(stays(text)) << static_cast<uint32_t>(c);
    together += text;
  }
  EXPECT_TRUE(stays(together));
  EXPECT_GT(passed, 0x10000u) << "most characters";
  EXPECT_FALSE(unicode::surely_normalized("cafe\u0301"));
  EXPECT_FALSE(unicode::surely_normalized("\u1112\u1161"));
}

TEST(ByteAlphabet, SpellsEachByteAsItsOwnCharacter) {
  std::set<char32_t> seen;
  for (int byte = 0; byte < 256; ++byte) {
    const char32_t c = byte_alphabet::character(static_cast<unsigned char>(byte));
    EXPECT_TRUE(seen.insert(c).second);
    EXPECT_EQ(byte_alphabet::byte(c), byte);
    EXPECT_FALSE(unicode::is_space(c)) << byte;
  }
  EXPECT_EQ(byte_alphabet::character(' '), U'Ġ');
  EXPECT_EQ(byte_alphabet::character('\n'), U'Ċ');
  EXPECT_EQ(byte_alphabet::byte(U' '), std::nullopt);
  EXPECT_EQ(byte_alphabet::byte(U'▁'), std::nullopt);
}

TEST(ByteAlphabet, ReadsBackWhatItSpells) {
  std::string bytes, spelling;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  byte_alphabet::spell(bytes, spelling);
  EXPECT_EQ(utf8::first_invalid(spelling), std::nullopt);
  EXPECT_EQ(byte_alphabet::unspell(spelling), bytes);
  EXPECT_EQ(byte_alphabet::unspell("a▁"), std::nullopt);
}

}  // namespace
}  // namespace braid
