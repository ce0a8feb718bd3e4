#include "tasks/fill_mask.h"

#include "cli/texts.h"

namespace braid::cli {
namespace {

constexpr int64_t kMasks = 64;  // in one step

}  // namespace

int fill_mask(Session& session) {
  Common common;
  std::string model;
  Texts given;
  int64_t top_k = 5;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a masked language model");
  add_text_flags(flags, given, "a text with the model's mask token where a word is wanted");
  flags.integer("--top-k", top_k, "N: fillings per mask, the likeliest first (5)", {.least = 1});
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  const std::vector<std::string> texts = read_texts(given);

  LoadedModel loaded = load(session, common, text_options(load_options(common, model), kMasks));
  session.interrupt.end_at_once(true);
  const auto results = fill_masks(loaded, texts, top_k);
  report(session, common, *loaded.program);
  if (common.json) {
    print_results(session, loaded, "results", [&](JsonWriter& json) {
      write_lists(json, results, [&](const Filling& f) {
        json.begin_object().member("score", static_cast<double>(f.score)).member("token", int64_t{f.token});
        json.member("token_str", f.token_text).member("sequence", f.sequence).end_object();
      });
    });
    return 0;
  }
  for (const auto& masks : results)
    for (const auto& fillings : masks)
      for (const Filling& f : fillings) session.console.print(score_text(f.score) + "  " + f.sequence + "\n");
  return 0;
}

}  // namespace braid::cli
