#include "tasks/answer.h"

#include "cli/texts.h"
#include "core/error.h"

namespace braid::cli {

int answer(Session& session) {
  Common common;
  common.own_context = true;
  std::string model, question;
  Texts given;
  AnswerOptions options;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a model that finds answers in texts");
  flags.text("--question", question, "TEXT: what is asked");
  add_text_flags(flags, given, "a text that may hold the answer", "--context");
  flags.integer("--top-k", options.top_k, "N: answers per text, the likeliest first (1)", {.least = 1});
  flags.integer("--max-answer-tokens", options.longest, "N: the longest answer (15)", {.least = 1, .most = 1 << 20});
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  if (question.empty()) throw UsageError("--question is needed");
  const std::vector<std::string> contexts = read_texts(given, "--context");

  LoadedModel loaded = load(session, common, text_options(load_options(common, model)));
  session.interrupt.end_at_once(true);
  std::vector<std::vector<Answer>> results;
  for (const std::string& context : contexts) results.push_back(find_answers(loaded, question, context, options));
  report(session, common, *loaded.program);
  if (common.json) {
    print_results(session, loaded, "results", [&](JsonWriter& json) {
      write_lists(json, results, [&](const Answer& a) {
        json.begin_object().member("answer", a.text).member("score", static_cast<double>(a.score));
        json.member("start", a.start).member("end", a.end).end_object();
      });
    });
    return 0;
  }
  for (const std::vector<Answer>& answers : results)
    for (const Answer& a : answers) session.console.print(score_text(a.score) + "  " + a.text + "\n");
  return 0;
}

}  // namespace braid::cli
