// POST /v1/chat/completions.

#include "serve/answering.h"
#include "serve/chat_prompt.h"

namespace braid::serve {
namespace {

constexpr int64_t kMostLogprobs = 20;  // the OpenAI API's

class ChatFormat final : public AnswerFormat {
 public:
  ChatFormat(std::shared_ptr<Call> call, const GenerationFields& generation)
      : call_(std::move(call)), generation_(generation), id_(call_->id("chatcmpl-")) {}

  void take_prompt(size_t, std::vector<TokenLogprob>) override {}
  std::string part(const AnswerPart& part) override {
    JsonWriter json;
    begin(json, "chat.completion.chunk");
    json.key("choices").begin_array().begin_object().member("index", static_cast<uint64_t>(part.index));
    json.key("delta").begin_object();
    if (part.first) json.member("role", "assistant");
    if (part.first || !part.text.empty()) json.member("content", part.text);
    json.end_object();
    close_choice(json, part);
    json.end_array();
    if (generation_.include_usage) json.key("usage").null();
    return event_of(json.end_object().text());
  }
  std::string end(const AnswerUsage& usage) override {
    std::string events;
    if (generation_.include_usage) {
      JsonWriter json;
      begin(json, "chat.completion.chunk");
      json.key("choices").begin_array().end_array();
      write_usage(json, usage);
      events = event_of(json.end_object().text());
    }
    return events + event_of("[DONE]");
  }
  std::string whole(const std::vector<AnswerPart>& texts, const AnswerUsage& usage) override {
    JsonWriter json;
    begin(json, "chat.completion");
    json.key("choices").begin_array();
    for (const AnswerPart& text : texts) {
      json.begin_object().member("index", static_cast<uint64_t>(text.index)).key("message").begin_object();
      json.member("role", "assistant").member("content", text.text).key("refusal").null().end_object();
      close_choice(json, text);
    }
    json.end_array();
    write_usage(json, usage);
    return json.end_object().text();
  }

 private:
  void begin(JsonWriter& json, std::string_view object) const {
    json.begin_object().member("id", id_).member("object", object).member("created", call_->created);
    json.member("model", call_->service.model().name());
  }
  void close_choice(JsonWriter& json, const AnswerPart& part) const {
    write_logprobs(json, part);
    if (generation_.token_ids) json.list("token_ids", std::span<const int32_t>(part.token_ids));
    write_finish(json, part.finished);
    json.end_object();
  }
  void write_token(JsonWriter& json, int32_t token, double logprob) const {
    const std::string text = call_->service.model().token_text(token);
    json.member("token", text).member("logprob", logprob).key("bytes").begin_array();
    for (const char c : text) json.value(static_cast<uint32_t>(static_cast<unsigned char>(c)));
    json.end_array();
  }
  void write_logprobs(JsonWriter& json, const AnswerPart& part) const {
    json.key("logprobs");
    if (generation_.options.logprobs < 0) {
      json.null();
      return;
    }
    json.begin_object().key("content").begin_array();
    for (const TokenLogprob& token : part.logprobs) {
      json.begin_object();
      write_token(json, token.token, token.logprob);
      json.key("top_logprobs").begin_array();
      for (const RankedToken& top : token.top) {
        json.begin_object();
        write_token(json, top.token, top.logprob);
        json.end_object();
      }
      json.end_array().end_object();
    }
    json.end_array().end_object();
  }

  const std::shared_ptr<Call> call_;
  const GenerationFields generation_;
  const std::string id_;
};
std::string messages_json(Fields& fields) {
  const auto messages = fields.any("messages");
  if (!messages) reject("messages", "is required");
  if (!messages->is_array() || messages->size() == 0) reject("messages", "must be a list of at least one message");
  std::string list;
  for (size_t i = 0; i < messages->size(); ++i) {
    const Json message = (*messages)[i];
    const std::string where = "messages[" + std::to_string(i) + "]";
    const auto role = message.is_object() ? message.find("role") : std::nullopt;
    if (!role || !role->is_string()) reject(where, "must be an object with a role");
    if (message.find("tool_calls") || role->as_string() == "tool")
      reject(where, "holds a tool call; tools are not supported", "unsupported_parameter");
    std::string members;
    for (size_t m = 0; m < message.size(); ++m) {
      const bool content = message.key(m) == "content";
      members += (m > 0 ? "," : "") + quoted(message.key(m)) + ":" +
                 (content ? content_json(message[m], where + ".content") : to_json(message[m]));
    }
    list += (i > 0 ? ",{" : "{") + members + "}";
  }
  return "[" + list + "]";
}

std::vector<int32_t> read_prompt(Fields& fields, const ServedModel& served) {
  const JsonDocument messages = JsonDocument::parse(messages_json(fields), "messages");
  RenderOptions options;
  options.add_generation_prompt = fields.flag("add_generation_prompt").value_or(true);
  options.continue_final_message = fields.flag("continue_final_message").value_or(false);
  if (const auto kwargs = fields.any("chat_template_kwargs")) {
    if (!kwargs->is_object()) reject("chat_template_kwargs", "must be an object");
    for (size_t i = 0; i < kwargs->size(); ++i) options.variables.emplace_back(kwargs->key(i), (*kwargs)[i]);
  }
  return chat_prompt(served, messages.root(), options);
}

void read_format(Fields& fields) {
  const auto format = fields.any("response_format");
  if (!format) return;
  const auto type = format->is_object() ? format->find("type") : std::nullopt;
  if (!type || !type->is_string()) reject("response_format", "must be an object with a type");
  if (type->as_string() != "text")
    reject("response_format", "of the type " + std::string(type->as_string()) + " is not supported",
           "unsupported_parameter");
}

AnswerRequest read(Fields& fields, const ServedModel& served) {
  AnswerRequest request{.prompts = {}, .generation = read_generation(fields, served)};
  GenerateOptions& options = request.generation.options;
  request.prompts.push_back(read_prompt(fields, served));
  const auto most = fields.integer("max_completion_tokens", 1, INT32_MAX),
             older = fields.integer("max_tokens", 1, INT32_MAX);
  options.max_tokens = most ? *most : older.value_or(0);
  const bool logprobs = fields.flag("logprobs").value_or(false);
  const auto top = fields.integer("top_logprobs", 0, std::min(kMostLogprobs, served.vocabulary()));
  if (top && !logprobs) reject("top_logprobs", "goes with logprobs: true");
  options.logprobs = logprobs ? top.value_or(0) : -1;
  read_format(fields);
  for (const char* name : {"tools", "functions"}) fields.refuse(name, "this server passes no tools to models");
  for (const char* name : {"tool_choice", "function_call"}) fields.refuse(name, "there are no tools", "\"none\"");
  fields.refuse("audio", "this server writes text");
  fields.refuse("modalities", "this server writes text", "[\"text\"]");
  fields.accept("parallel_tool_calls");
  fields.accept("reasoning_effort");
  fields.finish();
  check_budget(served, request.prompts.front().size(), options.max_tokens, "messages");
  return request;
}

}  // namespace

void complete_chat(const std::shared_ptr<Call>& call) {
  Fields fields(call->request.body);
  call->service.check_model(fields);
  AnswerRequest request = read(fields, call->service.model());
  auto format = std::make_unique<ChatFormat>(call, request.generation);
  std::make_shared<Answering>(call, std::move(request), std::move(format))->start();
}

}  // namespace braid::serve
