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

/// What one call of find_all may spend, in PCRE2's steps of matching. PCRE2 limits the steps at one position of the
/// text; a pattern that stays below that limit at each of a million positions must stop as well.
class Budget {
 public:
  Budget(uint32_t at_one_position, size_t bytes) : left_(at_one_position + uint64_t{512} * bytes) {}
  bool spend(uint64_t steps) {
    if (steps > left_) return false;
    left_ -= steps;
    return true;
  }

 private:
  uint64_t left_;
};

class Pcre final : public Pattern {
 public:
  Pcre(Handle<pcre2_code> code, std::string expression, Place place, uint32_t limit)
      : code_(std::move(code)), expression_(std::move(expression)), place_(std::move(place)), limit_(limit) {}

  void find_all(std::string_view text, std::vector<Span>& matches) const override {
    Search search{text, Handle<pcre2_match_context>(pcre2_match_context_create(nullptr)),
                  Handle<pcre2_match_data>(pcre2_match_data_create_from_pattern(code_.get(), nullptr)),
                  Budget(limit_, text.size())};
    if (!search.context || !search.data) throw std::bad_alloc();
    pcre2_set_heap_limit(search.context.get(), kHeapKibibytes);
    size_t last_end = SIZE_MAX;
    for (size_t at = 0; at <= text.size();) {
      if (!find(search, at)) return;
      const PCRE2_SIZE* span = pcre2_get_ovector_pointer(search.data.get());
      const size_t begin = span[0], end = span[1];
      const bool empty = begin >= end;
      // An empty match where the last one ended does not count.
      if (!empty || begin != last_end) matches.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
      last_end = end;
      at = empty ? after(text, end) : end;
    }
  }

 private:
  struct Search {
    std::string_view text;
    Handle<pcre2_match_context> context;
    Handle<pcre2_match_data> data;
    Budget budget;
  };
  enum class Outcome { match, none, too_many_steps };
  static constexpr uint32_t kHeapKibibytes = 64 << 10;
  static constexpr uint32_t kFewSteps = 64, kGrowth = 16;
  static constexpr size_t kWindow = 4096;

  /// The next character, or beyond the end.
  static size_t after(std::string_view text, size_t at) {
    return at < text.size() ? at + utf8::length(text[at]) : at + 1;
  }

  /// Whether the pattern matches at or after byte `at`: window by window with few steps at each position. A window
  /// where they do not suffice is gone through position by position, so that each is charged what it takes.
  bool find(Search& search, size_t at) const {
    while (at <= search.text.size()) {
      const size_t last = std::min(at + kWindow, search.text.size());
      const Outcome outcome = match(search, at, {.last = last, .steps = kFewSteps});
      if (outcome == Outcome::too_many_steps) {
        for (; at <= last; at = after(search.text, at)) {
          if (find_here(search, at)) return true;
        }
        continue;
      }
      const bool found = outcome == Outcome::match;
      const size_t end = found ? std::max<size_t>(at, pcre2_get_ovector_pointer(search.data.get())[0]) : last;
      if (!search.budget.spend(kFewSteps * (end - at + 1))) exceeded();
      if (found) return true;
      for (at = last + 1; at < search.text.size() && utf8::is_continuation(search.text[at]);) ++at;
    }
    return false;
  }

  bool find_here(Search& search, size_t at) const {
    for (uint64_t steps = kFewSteps;; steps *= kGrowth) {
      const auto granted = static_cast<uint32_t>(std::min<uint64_t>(steps, limit_));
      if (!search.budget.spend(granted)) exceeded();
      const Outcome outcome = match(search, at, {.last = at, .steps = granted});
      if (outcome != Outcome::too_many_steps) return outcome == Outcome::match;
      if (granted == limit_) exceeded();
    }
  }

  struct Bounds {
    size_t last;  ///< the last byte at which a match may start
    uint32_t steps;
  };
  Outcome match(Search& search, size_t at, Bounds bounds) const {
    pcre2_set_offset_limit(search.context.get(), bounds.last);
    pcre2_set_match_limit(search.context.get(), bounds.steps);
    const auto* text = reinterpret_cast<PCRE2_SPTR>(search.text.data());
    const int result = pcre2_match(code_.get(), text, search.text.size(), at, PCRE2_NO_UTF_CHECK, search.data.get(),
                                   search.context.get());
    if (result >= 0) return Outcome::match;
    if (result == PCRE2_ERROR_NOMATCH) return Outcome::none;
    if (result == PCRE2_ERROR_MATCHLIMIT) return Outcome::too_many_steps;
    throw Error("the pattern " + expression_ + " failed: " + message_of(result), place_);
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
  constexpr uint32_t kOptions =
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
  Handle<pcre2_code> compiled(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                            kOptions, &code, &offset, context.get()));
  if (!compiled)
    where.fail("the pattern " + std::string(expression) + " does not compile: " + message_of(code) + " at character " +
               std::to_string(offset));
  return std::make_unique<Pcre>(std::move(compiled), std::string(expression), Place{{}, where.path(), {}},
                                limits.regex_match_limit);
}

}  // namespace braid::text
