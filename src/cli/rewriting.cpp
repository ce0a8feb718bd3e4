#include "cli/rewriting.h"

#include "cli/generation_flags.h"
#include "cli/generation_json.h"
#include "tasks/rewrite_text.h"

namespace braid::cli {

void add_rewriting_flags(Flags& flags, Rewriting& what, std::string_view model, std::string_view text) {
  flags.positional("MODEL", what.model, model);
  add_text_flags(flags, what.given, text);
  flags.integer("--max-tokens", what.settings.max_new_tokens,
                "N: tokens of a result (as the model's files say, or 256)", {.least = 1});
  flags.integer("--seed", what.seed, "N: of draws (0)", {.least = 0});
  add_generation_flags(flags, what.settings);
  add_common_flags(flags, what.common);
}

int rewrite_all(Session& session, const Rewriting& what, std::string_view task) {
  const std::vector<std::string> texts = read_texts(what.given);
  TextToText how = text_to_text(what.model, task);
  how.settings = what.settings.or_else(how.settings);
  LoadedModel loaded = load(session, what.common, rewriting_options(load_options(what.common, what.model), how, texts));
  session.interrupt.end_at_once(true);
  Waiting waiting(session.console, std::string(task));
  const auto results = rewrite_texts(loaded, texts, how, static_cast<uint64_t>(what.seed));
  waiting.stop();
  report(session, what.common, *loaded.program);
  if (!what.common.json) {
    for (const std::vector<GeneratedText>& written : results) session.console.print(written.front().text + "\n");
    return 0;
  }
  print_results(session, loaded, "results", [&](JsonWriter& json) {
    const auto write = [&](const GeneratedText& text) { write_text(json.begin_object(), text, false); };
    write_lists(json, results, [&](const std::vector<GeneratedText>& written) {
      write(written.front());
      if (written.size() > 1) {
        json.key("others");
        write_lists(json, std::vector(written.begin() + 1, written.end()), [&](const GeneratedText& text) {
          write(text);
          json.end_object();
        });
      }
      json.end_object();
    });
  });
  return 0;
}

}  // namespace braid::cli
