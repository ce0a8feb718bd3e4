#include "text/unicode/properties.h"

#include <utf8proc.h>

namespace braid::unicode {
namespace detail {
namespace {

Classes of_category(utf8proc_category_t category) {
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
      return kLu;
    case UTF8PROC_CATEGORY_LL:
      return kLl;
    case UTF8PROC_CATEGORY_LT:
      return kLt;
    case UTF8PROC_CATEGORY_LM:
      return kLm;
    case UTF8PROC_CATEGORY_LO:
      return kLo;
    case UTF8PROC_CATEGORY_MN:
      return kMn;
    case UTF8PROC_CATEGORY_MC:
      return kMc;
    case UTF8PROC_CATEGORY_ME:
      return kMe;
    case UTF8PROC_CATEGORY_ND:
      return kNd;
    case UTF8PROC_CATEGORY_NL:
      return kNl;
    case UTF8PROC_CATEGORY_NO:
      return kNo;
    case UTF8PROC_CATEGORY_PC:
      return kPc;
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return kPunctuationOther;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
      return kS;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return kZ;
    case UTF8PROC_CATEGORY_CC:
      return kCc;
    case UTF8PROC_CATEGORY_CF:
      return kCf;
    case UTF8PROC_CATEGORY_CO:
      return kCo;
    default:
      return kCn;
  }
}

}  // namespace

Classes other_classes(char32_t c) {
  const Classes category = of_category(utf8proc_category(static_cast<utf8proc_int32_t>(c)));
  // White_Space is the separators and, outside ASCII, only U+0085 besides.
  return category | ((category & kZ) != 0 || c == 0x85 ? kSpace : 0);
}

}  // namespace detail

bool is_word(char32_t c) {
  if ((classes(c) & (kL | kM | kNd | kNl | kPc)) != 0) return true;
  if (c == 0x200C || c == 0x200D) return true;
  // Other_Alphabetic outside the categories above: the circled and squared Latin letters.
  return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
         (c >= 0x1F170 && c <= 0x1F189);
}

char32_t simple_lowercase(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

std::u32string lowercase(char32_t c) {
  if (c == 0x130) return U"i\u0307";  // the one unconditional mapping of SpecialCasing.txt that grows
  return {simple_lowercase(c)};
}

}  // namespace braid::unicode
