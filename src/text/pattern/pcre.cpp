// Regular expressions under PCRE2, with a budget of steps.

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

#include "text/pattern/pattern.h"
#include "text/unicode/utf8.h"

namespace braid::text {
namespace {

struct Free {
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
  void operator()(pcre2_compile_context* p) const { pcre2_compile_context_free(p); }
  void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
};
template <class T>
using Handle = std::unique_ptr<T, Free>;

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

/// What one call of find_all may spend, in PCRE2's steps of matching. Each search is tried with a small limit first and
/// charged what it was allowed, so the sum of all searches is bounded too: a pattern that is only slow, not hopeless,
/// stops as well.
class Budget {
 public:
  static constexpr uint32_t kFirst = 64, kGrowth = 16;
  Budget(uint32_t per_search, size_t bytes) : per_search_(per_search), left_(per_search + uint64_t{512} * bytes) {}
  bool spend(uint32_t limit) {
    if (left_ < limit) return false;
    left_ -= limit;
    return true;
  }
  uint32_t most() const { return per_search_; }

 private:
  uint32_t per_search_;
  uint64_t left_;
};

class Pcre final : public Pattern {
 public:
  Pcre(Handle<pcre2_code> code, std::string expression, Place place, uint32_t limit)
      : code_(std::move(code)), expression_(std::move(expression)), place_(std::move(place)), limit_(limit) {}

  void find_all(std::string_view text, std::vector<Span>& matches) const override {
    Handle<pcre2_match_context> context(pcre2_match_context_create(nullptr));
    Handle<pcre2_match_data> data(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
    if (!context || !data) throw std::bad_alloc();
    pcre2_set_heap_limit(context.get(), kHeapKibibytes);
    Budget budget(limit_, text.size());
    size_t last_end = SIZE_MAX;
    for (size_t at = 0; at <= text.size();) {
      if (!search(text, at, context.get(), data.get(), budget)) return;
      const PCRE2_SIZE* span = pcre2_get_ovector_pointer(data.get());
      const size_t begin = span[0], end = span[1];
      const bool empty = begin >= end;
      // An empty match where the last one ended does not count.
      if (!empty || begin != last_end) matches.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
      last_end = end;
      at = !empty ? end : end < text.size() ? end + utf8::length(text[end]) : end + 1;
    }
  }

 private:
  static constexpr uint32_t kHeapKibibytes = 64 << 10;

  /// Whether the pattern matches at or after byte `at`.
  bool search(std::string_view text, size_t at, pcre2_match_context* context, pcre2_match_data* data,
              Budget& budget) const {
    for (uint64_t limit = Budget::kFirst;; limit *= Budget::kGrowth) {
      const auto granted = static_cast<uint32_t>(std::min<uint64_t>(limit, budget.most()));
      if (!budget.spend(granted)) exceeded();
      pcre2_set_match_limit(context, granted);
      const int result = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                                     PCRE2_NO_UTF_CHECK, data, context);
      if (result >= 0) return true;
      if (result == PCRE2_ERROR_NOMATCH) return false;
      if (result != PCRE2_ERROR_MATCHLIMIT)
        throw Error("the pattern " + expression_ + " failed: " + message_of(result), place_);
      if (granted == budget.most()) exceeded();
    }
  }

  [[noreturn]] void exceeded() const {
    throw Error("the pattern " + expression_ + " takes more than its limit of steps on this text", place_,
                "use a tokenizer whose pattern does not backtrack without end");
  }

  Handle<pcre2_code> code_;
  std::string expression_;
  Place place_;
  uint32_t limit_;
};

}  // namespace

std::unique_ptr<Pattern> make_pcre(std::string_view expression, const Json& where, const Limits& limits) {
  const std::string translated = translate_from_oniguruma(expression, where);
  Handle<pcre2_compile_context> context(pcre2_compile_context_create(nullptr));
  if (!context) throw std::bad_alloc();
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int code = 0;
  PCRE2_SIZE offset = 0;
  // Multi-line, because ^ and $ in Oniguruma's Ruby syntax always are.
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  Handle<pcre2_code> compiled(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                            kOptions, &code, &offset, context.get()));
  if (!compiled)
    where.fail("the pattern " + std::string(expression) + " does not compile: " + message_of(code) + " at character " +
               std::to_string(offset));
  return std::make_unique<Pcre>(std::move(compiled), std::string(expression), Place{{}, where.path(), {}},
                                limits.regex_match_limit);
}

}  // namespace braid::text
