#include "cli/generation_flags.h"

#include <algorithm>

#include "core/error.h"

namespace braid::cli {
namespace {

std::string flag_of(std::string_view setting) {
  std::string flag = "--" + std::string(setting);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

EarlyStopping early_stopping(const std::string& text) {
  for (const EarlyStopping early : {EarlyStopping::no, EarlyStopping::yes, EarlyStopping::never})
    if (text == name(early)) return early;
  throw UsageError("--early-stopping " + text + " is none of no, yes, never");
}

}  // namespace

void add_generation_flags(Flags& flags, GenerationConfig& settings) {
  flags.heading("choosing tokens; what is left out is as generation_config.json says where it samples, else greedy");
  for (const RealSetting& s : real_settings())
    flags.real(flag_of(s.name), settings.*s.field, "X: " + std::string(s.help), {.least = s.least, .most = s.most});
  for (const CountSetting& s : count_settings())
    flags.integer(flag_of(s.name), settings.*s.field, "N: " + std::string(s.help),
                  {.least = static_cast<double>(s.least), .most = static_cast<double>(s.most)});
  flags.value(
      "--early-stopping", [&settings](const std::string& text) { settings.early_stopping = early_stopping(text); },
      "WHEN: a beam search ends: yes, no (when better is unlikely), never (impossible)");
  flags.value(
      "--bad-words",
      [&settings](const std::string& text) { settings.bad_words_ids.push_back(parse_ids("--bad-words", text)); },
      "1,2,3: token ids that are not to be written in a row (may be repeated)");
  flags.value(
      "--suppress",
      [&settings](const std::string& text) {
        for (const int32_t id : parse_ids("--suppress", text)) settings.suppress_tokens.push_back(id);
      },
      "1,2,3: token ids that are not to be written");
}

}  // namespace braid::cli
