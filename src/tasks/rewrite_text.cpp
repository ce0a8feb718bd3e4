#include "tasks/rewrite_text.h"

#include <algorithm>
#include <deque>
#include <numeric>

#include "core/error.h"
#include "engine/source.h"
#include "files/gguf.h"
#include "files/model_folder.h"
#include "tasks/settings.h"
#include "tasks/written_texts.h"

namespace braid {
namespace {

constexpr int64_t kMaxTokens = 256;     // where nobody says
constexpr int64_t kTextsAtOnce = 4;     // each with all of its beams
constexpr int64_t kSpecialTokens = 64;  // more than any template adds to a text

}  // namespace

std::string translation_task(std::string_view from, std::string_view to) {
  return "translation_" + std::string(from) + "_to_" + std::string(to);
}

TextToText text_to_text(const std::string& model, std::string_view task) {
  const ModelFolder place = resolve_model(model);
  if (is_gguf(place.file)) return {};  // those say nothing of tasks
  const Config config = Config::read(place.folder);
  const std::optional<Json> tasks = config.find("task_specific_params");
  if (!tasks || !tasks->is_object() || tasks->size() == 0) return {};
  if (!tasks->find(task)) {
    std::string known;
    for (size_t i = 0; i < tasks->size(); ++i) known += (i == 0 ? "" : ", ") + std::string(tasks->key(i));
    throw UsageError("the model does not know the task " + std::string(task),
                     {.file = config.file(), .field = "task_specific_params", .offset = {}}, "it has " + known);
  }
  const Config own = config.section("task_specific_params").section(task);
  return {.prefix = own.string_or("prefix", ""), .settings = GenerationConfig::from(nullptr, own)};
}

LoadOptions rewriting_options(LoadOptions base, const TextToText& how, std::span<const std::string> texts) {
  size_t longest = 0;
  for (const std::string& text : texts) longest = std::max(longest, text.size());
  base.generation = how.settings;
  base.requests = std::min<int64_t>(kTextsAtOnce, std::ssize(texts));
  // A token is a byte at least. Whoever gives a context means both sides.
  if (base.context == 0) {
    base.source_tokens = static_cast<int64_t>(how.prefix.size() + longest) + kSpecialTokens;
    base.written_tokens = kMaxTokens;
  }
  return base;
}

std::vector<std::vector<GeneratedText>> rewrite_texts(LoadedModel& model, std::span<const std::string> texts,
                                                      const TextToText& how, uint64_t seed) {
  Program& program = *model.program;
  if (!encodes_tokens(program))
    throw UsageError(program.model().architecture + " has no encoder of text", {},
                     "take an encoder-decoder such as T5 or BART");
  struct Job {
    GenerateOptions options;
    GenerateRequest request;
    std::unique_ptr<Texts> written = {};
  };
  std::vector<Job> jobs;
  for (const std::string& text : texts) {
    GenerateOptions options{.prompt = how.prefix + text, .settings = how.settings, .seed = seed};
    const GenerationConfig settings = settings_of(options.settings, model.generation);
    if (!settings.max_new_tokens && !settings.max_length)
      options.max_tokens = std::min(kMaxTokens, program.options().context - 1);
    GenerateRequest request = request_of(model, options);
    jobs.push_back({std::move(options), std::move(request)});
  }
  std::vector<size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return jobs[i].request.source.elements(); });

  Engine engine(program);
  const TextCallback silent;
  for (const size_t i : order) {
    Job& job = jobs[i];
    job.written = std::make_unique<Texts>(model, job.options, job.request.decoding.sequences, silent);
    engine.submit(std::move(job.request), [&texts = *job.written](const TokenEvent& e) { return texts.take(e); });
  }
  engine.run();
  std::vector<std::vector<GeneratedText>> results;
  for (Job& job : jobs) {
    if (job.written->failed()) throw Error(job.written->failure);
    results.push_back(job.written->finish(false));
  }
  return results;
}

}  // namespace braid
