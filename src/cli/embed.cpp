#include "tasks/embed.h"

#include "cli/texts.h"

namespace braid::cli {

int embed(Session& session) {
  Common common;
  std::string model;
  Texts given;
  std::optional<std::string> prompt;
  std::optional<int64_t> max_tokens;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "an embedding model, or any encoder");
  add_text_flags(flags, given, "a text to embed");
  flags.text("--prompt", prompt, "TEXT: put before every text (what the model's default prompt says)");
  flags.integer("--max-tokens", max_tokens, "N: cut longer texts off (as the model's files say)", {.least = 1});
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  const std::vector<std::string> texts = read_texts(given);

  LoadOptions load_as = text_options(load_options(common, model));
  load_as.purpose = Purpose::features;  // whatever head the file has
  LoadedModel loaded = load(session, common, load_as);
  EmbedOptions options = embed_options(loaded);
  if (prompt) options.prompt = *prompt;
  if (max_tokens) options.max_tokens = std::min(*max_tokens, options.max_tokens);
  session.interrupt.end_at_once(true);
  Waiting waiting(session.console, "embed");
  const std::vector<std::vector<float>> vectors = braid::embed(loaded, texts, options);
  waiting.stop();
  report(session, common, *loaded.program);

  if (common.json) {
    print_results(session, loaded, "embeddings", [&](JsonWriter& json) {
      write_lists(json, vectors, [&](float x) { json.value(static_cast<double>(x)); });
    });
    return 0;
  }
  for (const std::vector<float>& vector : vectors) {
    std::string line;
    for (const float x : vector) line += (line.empty() ? "" : " ") + std::to_string(x);
    session.console.print(line + "\n");
  }
  return 0;
}

}  // namespace braid::cli
