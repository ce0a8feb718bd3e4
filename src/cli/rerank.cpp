#include "cli/texts.h"
#include "core/error.h"
#include "tasks/classify.h"

namespace braid::cli {

int rerank(Session& session) {
  Common common;
  std::string model, query;
  Texts given;
  std::optional<int64_t> top_k;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a cross-encoder");
  flags.text("--query", query, "TEXT: what is looked for");
  add_text_flags(flags, given, "a document");
  flags.integer("--top-k", top_k, "N: only the best N", {.least = 1});
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  if (query.empty()) throw UsageError("--query is needed");
  const std::vector<std::string> documents = read_texts(given);

  LoadedModel loaded = load(session, common, text_options(load_options(common, model)));
  session.interrupt.end_at_once(true);
  std::vector<Ranked> ranked = braid::rerank(loaded, query, documents);
  report(session, common, *loaded.program);
  if (top_k && std::ssize(ranked) > *top_k) ranked.resize(static_cast<size_t>(*top_k));
  if (common.json) {
    print_results(session, loaded, "results", [&](JsonWriter& json) {
      write_lists(json, ranked, [&](const Ranked& r) {
        json.begin_object().member("index", static_cast<uint64_t>(r.index));
        json.member("score", static_cast<double>(r.score)).member("text", documents[r.index]).end_object();
      });
    });
    return 0;
  }
  for (const Ranked& r : ranked) session.console.print(score_text(r.score) + "  " + documents[r.index] + "\n");
  return 0;
}

}  // namespace braid::cli
