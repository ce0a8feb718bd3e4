// POST /v1/completions.

#include <set>

#include "serve/answering.h"
#include "text/tokenizer.h"

namespace braid::serve {
namespace {

constexpr int64_t kMaxTokens = 16;  // the OpenAI API's default
constexpr int64_t kMostLogprobs = 100;
constexpr size_t kMostPrompts = 256;

struct Completion {
  AnswerRequest request;
  std::vector<std::string> texts = {};  ///< of the prompts, for echo
  bool echo = false;
  int64_t logprobs = -1;
};

int64_t code_points(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

/// {"tokens", "token_logprobs", "top_logprobs", "text_offset"} of a text that grows.
class Logprobs {
 public:
  explicit Logprobs(const ServedModel& served) : served_(&served) {}

  /// A token without a log-probability is the first of a prompt.
  struct Entry {
    int32_t token;
    const TokenLogprob* scored;
  };
  void write(JsonWriter& json, const std::vector<Entry>& entries) {
    json.key("logprobs").begin_object().key("tokens").begin_array();
    std::vector<int64_t> offsets;
    for (const Entry& entry : entries) {
      const std::string text = served_->token_text(entry.token);
      json.value(text);
      offsets.push_back(offset_);
      if (!served_->is_special(entry.token)) offset_ += code_points(text);
    }
    json.end_array().key("token_logprobs").begin_array();
    for (const Entry& entry : entries) entry.scored != nullptr ? json.value(entry.scored->logprob) : json.null();
    json.end_array().key("top_logprobs").begin_array();
    for (const Entry& entry : entries) write_top(json, entry);
    json.end_array().list("text_offset", std::span<const int64_t>(offsets)).end_object();
  }

 private:
  /// The likeliest, and the token itself where it is not among them. Two tokens may look alike: the likelier one stays.
  void write_top(JsonWriter& json, const Entry& entry) {
    if (entry.scored == nullptr) {
      json.null();
      return;
    }
    std::set<std::string> seen;
    json.begin_object();
    const auto add = [&](int32_t token, double logprob) {
      const std::string text = served_->token_text(token);
      if (seen.insert(text).second) json.member(text, logprob);
    };
    for (const RankedToken& top : entry.scored->top) add(top.token, top.logprob);
    add(entry.token, entry.scored->logprob);
    json.end_object();
  }

  const ServedModel* served_;
  int64_t offset_ = 0;
};

class CompletionFormat final : public AnswerFormat {
 public:
  CompletionFormat(std::shared_ptr<Call> call, const Completion& completion)
      : call_(std::move(call)), completion_(completion), id_(call_->id("cmpl-")) {
    const size_t texts = completion_.request.prompts.size() * static_cast<size_t>(completion_.request.generation.n);
    logprobs_.assign(texts, Logprobs(call_->service.model()));
    prompt_logprobs_.resize(completion_.request.prompts.size());
  }

  void take_prompt(size_t prompt, std::vector<TokenLogprob> logprobs) override {
    prompt_logprobs_[prompt] = std::move(logprobs);
  }
  std::string part(const AnswerPart& part) override {
    JsonWriter json;
    begin(json);
    json.key("choices").begin_array();
    choice(json, part);
    json.end_array();
    if (completion_.request.generation.include_usage) json.key("usage").null();
    return event_of(json.end_object().text());
  }
  std::string end(const AnswerUsage& usage) override {
    std::string events;
    if (completion_.request.generation.include_usage) {
      JsonWriter json;
      begin(json);
      json.key("choices").begin_array().end_array();
      write_usage(json, usage);
      events = event_of(json.end_object().text());
    }
    return events + event_of("[DONE]");
  }
  std::string whole(const std::vector<AnswerPart>& texts, const AnswerUsage& usage) override {
    JsonWriter json;
    begin(json);
    json.key("choices").begin_array();
    for (const AnswerPart& text : texts) choice(json, text);
    json.end_array();
    write_usage(json, usage);
    return json.end_object().text();
  }

 private:
  void begin(JsonWriter& json) const {
    json.begin_object().member("id", id_).member("object", "text_completion").member("created", call_->created);
    json.member("model", call_->service.model().name());
  }
  void choice(JsonWriter& json, const AnswerPart& part) {
    const bool echo = completion_.echo && part.first;
    json.begin_object().member("index", static_cast<uint64_t>(part.index));
    json.member("text", echo ? completion_.texts[part.prompt] + part.text : part.text);
    if (completion_.request.generation.token_ids) json.list("token_ids", std::span<const int32_t>(part.token_ids));
    if (completion_.logprobs >= 0) {
      std::vector<Logprobs::Entry> entries;
      const std::vector<int32_t>& prompt = completion_.request.prompts[part.prompt];
      const std::vector<TokenLogprob>& scored = prompt_logprobs_[part.prompt];
      for (size_t i = 0; echo && i < prompt.size(); ++i)
        entries.push_back({prompt[i], i > 0 && i - 1 < scored.size() ? &scored[i - 1] : nullptr});
      for (const TokenLogprob& token : part.logprobs) entries.push_back({token.token, &token});
      logprobs_[part.index].write(json, entries);
    } else {
      json.key("logprobs").null();
    }
    write_finish(json, part.finished);
    json.end_object();
  }

  const std::shared_ptr<Call> call_;
  const Completion completion_;
  const std::string id_;
  std::vector<Logprobs> logprobs_;
  std::vector<std::vector<TokenLogprob>> prompt_logprobs_;
};

/// A text, a list of texts, a list of ids, a list of lists of ids.
void read_prompts(Fields& fields, const ServedModel& served, Completion& completion) {
  const auto given = fields.any("prompt");
  if (!given) reject("prompt", "is required");
  const auto add = [&](Json one) {
    std::vector<int32_t> ids;
    std::string text;
    if (one.is_string()) {
      text = one.as_string();
      if (text.empty()) reject("prompt", "is empty: give at least one token");
      ids = served.encode(text, "prompt");
    } else if (one.is_array()) {
      ids = ids_of(one, "prompt", served.vocabulary());
      if (served.model().tokenizer) text = served.model().tokenizer->decode(ids, true);
    } else {
      reject("prompt", "must be a text, a list of texts, or token ids");
    }
    completion.request.prompts.push_back(std::move(ids));
    completion.texts.push_back(std::move(text));
  };
  const bool many = given->is_array() && given->size() > 0 && !(*given)[0].is_number();
  if (!many) {
    add(*given);
    return;
  }
  if (given->size() > kMostPrompts) reject("prompt", "has more than " + std::to_string(kMostPrompts) + " prompts");
  for (size_t i = 0; i < given->size(); ++i) add((*given)[i]);
}

Completion read(Fields& fields, const ServedModel& served) {
  Completion completion;
  GenerationFields& generation = completion.request.generation;
  generation = read_generation(fields, served);
  read_prompts(fields, served, completion);
  completion.echo = fields.flag("echo").value_or(false);
  completion.logprobs = fields.integer("logprobs", 0, std::min(kMostLogprobs, served.vocabulary())).value_or(-1);
  const int64_t max_tokens = fields.integer("max_tokens", completion.echo ? 0 : 1, INT32_MAX).value_or(kMaxTokens);
  const auto best_of = fields.integer("best_of", 1, INT32_MAX);
  if (best_of && *best_of != generation.n)
    reject("best_of", "must be n: each text is its own", "unsupported_parameter");
  fields.refuse("suffix", "models of this kind write on, they do not fill in");
  fields.refuse("prompt_logprobs", "give echo and logprobs");
  fields.finish();
  completion.request.no_text = max_tokens == 0;
  generation.options.max_tokens = std::max<int64_t>(1, max_tokens);
  generation.options.logprobs = completion.logprobs;
  if (completion.echo) generation.options.prompt_logprobs = completion.logprobs;
  for (const std::vector<int32_t>& prompt : completion.request.prompts)
    check_budget(served, prompt.size(), max_tokens, "prompt");
  return completion;
}

}  // namespace

void complete(const std::shared_ptr<Call>& call) {
  Fields fields(call->request.body);
  call->service.check_model(fields);
  Completion completion = read(fields, call->service.model());
  auto format = std::make_unique<CompletionFormat>(call, completion);
  std::make_shared<Answering>(call, std::move(completion.request), std::move(format))->start();
}

}  // namespace braid::serve
