#include "tasks/classify.h"

#include "cli/texts.h"

namespace braid::cli {

int classify(Session& session) {
  Common common;
  std::string model;
  Texts given;
  ClassifyOptions options;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a classifier of texts");
  add_text_flags(flags, given, "a text to classify");
  flags.integer("--top-k", options.top_k, "N: labels per text, the likeliest first (1; 0: all)", {.least = 0});
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  const std::vector<std::string> texts = read_texts(given);

  LoadedModel loaded = load(session, common, text_options(load_options(common, model)));
  session.interrupt.end_at_once(true);
  const std::vector<std::vector<Label>> results = braid::classify(loaded, texts, options);
  report(session, common, *loaded.program);
  if (common.json) {
    print_results(session, loaded, "results", [&](JsonWriter& json) {
      write_lists(json, results, [&](const Label& label) {
        json.begin_object().member("label", label.name).member("score", static_cast<double>(label.score)).end_object();
      });
    });
    return 0;
  }
  for (size_t i = 0; i < results.size(); ++i)
    for (const Label& label : results[i])
      session.console.print(label.name + " " + score_text(label.score) + "  " + texts[i] + "\n");
  return 0;
}

}  // namespace braid::cli
