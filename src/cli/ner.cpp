#include "tasks/ner.h"

#include "cli/texts.h"

namespace braid::cli {

int ner(Session& session) {
  Common common;
  std::string model;
  Texts given;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a classifier of tokens");
  add_text_flags(flags, given, "a text to find names in");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  const std::vector<std::string> texts = read_texts(given);

  LoadedModel loaded = load(session, common, text_options(load_options(common, model)));
  session.interrupt.end_at_once(true);
  const std::vector<std::vector<Entity>> results = find_entities(loaded, texts);
  report(session, common, *loaded.program);
  if (common.json) {
    print_results(session, loaded, "results", [&](JsonWriter& json) {
      write_lists(json, results, [&](const Entity& e) {
        json.begin_object().member("entity_group", e.group).member("score", static_cast<double>(e.score));
        json.member("word", e.word).member("start", e.start).member("end", e.end).end_object();
      });
    });
    return 0;
  }
  for (const std::vector<Entity>& entities : results)
    for (const Entity& e : entities)
      session.console.print(e.group + " " + score_text(e.score) + " " + std::to_string(e.start) + "-" +
                            std::to_string(e.end) + "  " + e.word + "\n");
  return 0;
}

}  // namespace braid::cli
