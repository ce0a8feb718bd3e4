// POST /v1/messages and /v1/messages/count_tokens: the Anthropic API.

#include "serve/answering.h"
#include "serve/chat_prompt.h"

namespace braid::serve {
namespace {

std::string event_named(std::string_view name, const JsonWriter& json) {
  return "event: " + std::string(name) + "\n" + event_of(json.text());
}

/// {"type": "error", "error": {"type", "message"}}.
std::string error_words(const ApiError& error) {
  JsonWriter json;
  json.begin_object().member("type", "error").key("error").begin_object();
  json.member("type", error.status() >= 500 ? "api_error" : error.type()).member("message", error.what());
  return json.end_object().end_object().text();
}

class MessageFormat final : public AnswerFormat {
 public:
  MessageFormat(std::shared_ptr<Call> call, int64_t prompt_tokens)
      : call_(std::move(call)), id_(call_->id("msg_")), prompt_tokens_(prompt_tokens) {}

  void take_prompt(size_t, std::vector<TokenLogprob>) override {}
  std::string part(const AnswerPart& part) override {
    std::string events = part.first ? begin() : "";
    if (!part.text.empty()) {
      JsonWriter json;
      json.begin_object().member("type", "content_block_delta").member("index", 0).key("delta").begin_object();
      json.member("type", "text_delta").member("text", part.text).end_object().end_object();
      events += event_named("content_block_delta", json);
    }
    last_ = part;
    return events;
  }
  std::string end(const AnswerUsage& usage) override {
    JsonWriter stop, delta, over;
    stop.begin_object().member("type", "content_block_stop").member("index", 0).end_object();
    delta.begin_object().member("type", "message_delta").key("delta").begin_object();
    write_stop(delta, last_);
    delta.end_object().key("usage").begin_object().member("output_tokens", usage.completion_tokens);
    delta.end_object().end_object();
    over.begin_object().member("type", "message_stop").end_object();
    return event_named("content_block_stop", stop) + event_named("message_delta", delta) +
           event_named("message_stop", over);
  }
  std::string whole(const std::vector<AnswerPart>& texts, const AnswerUsage& usage) override {
    JsonWriter json;
    write_message(json, &texts.front(), usage.completion_tokens);
    return json.text();
  }

 private:
  static void write_stop(JsonWriter& json, const AnswerPart& part) {
    json.member("stop_reason", part.finished == FinishReason::length ? "max_tokens"
                               : part.stop_string.empty()            ? "end_turn"
                                                                     : "stop_sequence");
    json.key("stop_sequence");
    part.stop_string.empty() ? json.null() : json.value(part.stop_string);
  }
  void write_message(JsonWriter& json, const AnswerPart* text, int64_t written) const {
    json.begin_object().member("id", id_).member("type", "message").member("role", "assistant");
    json.member("model", call_->service.model().name()).key("content").begin_array();
    if (text != nullptr) json.begin_object().member("type", "text").member("text", text->text).end_object();
    json.end_array();
    if (text != nullptr)
      write_stop(json, *text);
    else
      json.key("stop_reason").null().key("stop_sequence").null();
    json.key("usage").begin_object().member("input_tokens", prompt_tokens_).member("output_tokens", written);
    json.end_object().end_object();
  }
  std::string begin() const {
    JsonWriter message, block;
    message.begin_object().member("type", "message_start").key("message");
    write_message(message, nullptr, 0);
    message.end_object();
    block.begin_object().member("type", "content_block_start").member("index", 0).key("content_block").begin_object();
    block.member("type", "text").member("text", "").end_object().end_object();
    return event_named("message_start", message) + event_named("content_block_start", block);
  }

  const std::shared_ptr<Call> call_;
  const std::string id_;
  const int64_t prompt_tokens_;
  AnswerPart last_;
};

/// The system prompt is the first message.
std::vector<int32_t> read_prompt(Fields& fields, const ServedModel& served) {
  std::string list;
  const auto add = [&](std::string_view role, Json content, const std::string& where) {
    list += (list.empty() ? "" : ",") + ("{\"role\":" + quoted(role)) + ",\"content\":" + content_json(content, where) +
            "}";
  };
  if (const auto system = fields.any("system")) add("system", *system, "system");
  const auto messages = fields.any("messages");
  if (!messages || !messages->is_array() || messages->size() == 0)
    reject("messages", "must be a list of at least one message");
  std::string_view last;
  for (size_t i = 0; i < messages->size(); ++i) {
    const std::string where = "messages[" + std::to_string(i) + "]";
    const Json message = (*messages)[i];
    const auto role = message.is_object() ? message.find("role") : std::nullopt;
    const auto content = message.is_object() ? message.find("content") : std::nullopt;
    if (!role || !role->is_string() || !content) reject(where, "must be an object with a role and a content");
    last = role->as_string();
    if (last != "user" && last != "assistant") reject(where + ".role", "must be user or assistant");
    add(last, *content, where + ".content");
  }
  const JsonDocument document = JsonDocument::parse("[" + list + "]", "messages");
  RenderOptions options;
  options.continue_final_message = last == "assistant";
  options.add_generation_prompt = !options.continue_final_message;
  return chat_prompt(served, document.root(), options);
}

void refuse_others(Fields& fields) {
  for (const char* name : {"tools", "tool_choice"}) fields.refuse(name, "this server passes no tools to models");
  fields.refuse("container", "there are none");
  fields.refuse("mcp_servers", "there are none");
  fields.accept("service_tier");
  fields.accept("metadata");
  const auto thinking = fields.any("thinking");
  const auto type = thinking && thinking->is_object() ? thinking->find("type") : std::nullopt;
  if (thinking && (!type || !type->is_string() || type->as_string() != "disabled"))
    reject("thinking", "is not supported", "unsupported_parameter");
  fields.finish();
}

}  // namespace

void write_message(const std::shared_ptr<Call>& call) {
  call->word_errors(error_words);
  Fields fields(call->request.body);
  call->service.check_model(fields);
  const ServedModel& served = call->service.model();
  AnswerRequest request{.prompts = {}, .generation = read_message_settings(fields, served)};
  GenerateOptions& options = request.generation.options;
  request.prompts.push_back(read_prompt(fields, served));
  const auto max_tokens = fields.integer("max_tokens", 1, INT32_MAX);
  if (!max_tokens) reject("max_tokens", "is required");
  options.max_tokens = *max_tokens;
  refuse_others(fields);
  check_budget(served, request.prompts.front().size(), options.max_tokens, "messages");
  auto format = std::make_unique<MessageFormat>(call, static_cast<int64_t>(request.prompts.front().size()));
  std::make_shared<Answering>(call, std::move(request), std::move(format))->start();
}

void count_message_tokens(const std::shared_ptr<Call>& call) {
  call->word_errors(error_words);
  Fields fields(call->request.body);
  call->service.check_model(fields);
  const auto tokens = static_cast<uint64_t>(read_prompt(fields, call->service.model()).size());
  refuse_others(fields);
  call->send_json(JsonWriter().begin_object().member("input_tokens", tokens).end_object().text());
}

}  // namespace braid::serve
