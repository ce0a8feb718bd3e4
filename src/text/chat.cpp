#include "text/chat.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/error.h"
#include "core/file_map.h"
#include "text/template/json_dump.h"
#include "text/template/protocol.h"
#include "text/template/strings.h"

namespace braid {
namespace {

namespace fs = std::filesystem;
using jinja::Dict;
using jinja::Kind;
using jinja::Origin;
using jinja::Runtime;
using jinja::Text;
using jinja::Value;

constexpr std::array<std::string_view, 7> kSpecialTokens{"bos_token", "eos_token", "unk_token", "sep_token",
                                                         "pad_token", "cls_token", "mask_token"};
/// Set by options of their own.
constexpr std::array<std::string_view, 5> kReserved{"messages", "tools", "documents", "add_generation_prompt",
                                                    "continue_final_message"};
/// Names under which reasoning is passed, the standard one first.
constexpr std::array<std::string_view, 3> kReasoning{"reasoning_content", "thinking", "reasoning"};
/// Marks where the last message ends, as transformers does; what follows it is cut off.
constexpr std::string_view kEndMark = "CONTINUE_FINAL_MESSAGE_TAG ";

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

[[noreturn]] void refuse(const std::string& what, std::string field, std::string advice = {}) {
  throw UsageError(what, {.file = {}, .field = std::move(field), .offset = {}}, std::move(advice));
}

std::tm local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  return parts;
}

/// A list of objects.
void check_list(const Json& list, const std::string& name) {
  if (!list.is_array()) refuse(name + " must be a list", list.path().empty() ? name : list.path());
  for (size_t i = 0; i < list.size(); ++i)
    if (!list[i].is_object()) refuse("each of " + name + " must be an object", name + "[" + std::to_string(i) + "]");
}

/// Templates spell special tokens with roles ('<|' + role + '|>'), so a role of plain letters is as good as the
/// template's own text. Other roles are data.
bool is_plain_role(std::string_view role) {
  return std::all_of(role.begin(), role.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// A message without its null members, its reasoning under every name that templates read.
Value message_value(Runtime& runtime, const Json& message) {
  auto& dict = runtime.make<Dict>();
  std::optional<Json> reasoning;
  for (const std::string_view key : kReasoning) {
    const auto member = message.find(key);
    if (!reasoning && member && !member->is_null()) reasoning = member;
  }
  const auto text = [&](std::string_view s) { return runtime.string(std::string(s)); };
  if (reasoning) dict.set(text("thinking"), value_of(runtime, *reasoning));
  for (size_t i = 0; i < message.size(); ++i) {
    const std::string_view key = message.key(i);
    if (message[i].is_null()) continue;
    const bool role = key == "role" && message[i].is_string() && is_plain_role(message[i].as_string());
    dict.set(text(key), value_of(runtime, message[i], role ? Origin::literal : Origin::data));
  }
  if (reasoning) dict.set(text("reasoning_content"), value_of(runtime, *reasoning));
  return Value::object(Kind::dict, dict);
}

/// The text that ends a message, in its content or in the last part of it that has one; marks its end.
Text mark_end(Runtime& runtime, Dict& message) {
  const Value* content = message.find("content");
  if (content == nullptr) refuse("the last message has no content to continue", "--continue-final-message");
  const auto marked = [&](Dict& owner, std::string_view key, const Value& value) {
    if (!value.is_string()) refuse("the last message has no text to continue", "--continue-final-message");
    Text text = value.text();
    text.append(kEndMark, Origin::data);
    const Text before = value.text();
    owner.set(runtime.string(std::string(key)), runtime.string(std::move(text)));
    return before;
  };
  if (!content->is(Kind::list)) return marked(message, "content", *content);
  const std::vector<Value>& parts = content->items();
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    if (part->is(Kind::dict))
      if (const Value* text = part->as<Dict>().find("text")) return marked(part->as<Dict>(), "text", *text);
  refuse("the last message has no text to continue", "--continue-final-message");
}

/// The rendered text up to the mark.
Text cut_at_mark(const Text& rendered, const Text& final_message) {
  const std::string_view mark = kEndMark.substr(0, kEndMark.size() - 1);
  const Text stripped = jinja::strip(final_message, jinja::Side::both, std::nullopt);
  const size_t at = rendered.view().rfind(mark);
  if (at == std::string_view::npos || rendered.view().find(stripped.view()) == std::string_view::npos)
    refuse("the last message does not appear in the rendered chat, so it cannot be continued",
           "--continue-final-message");
  const Text kept = rendered.slice(0, at);
  if (rendered.view().substr(at).starts_with(kEndMark)) return kept;
  return jinja::strip(kept, jinja::Side::right, std::nullopt);  // the template strips messages
}

std::vector<std::pair<std::string, std::string>> special_tokens(const Json& config) {
  std::vector<std::pair<std::string, std::string>> tokens;
  for (const std::string_view name : kSpecialTokens) {
    const auto token = config.find(name);
    if (!token || token->is_null()) continue;
    tokens.emplace_back(name, token->is_object() ? token->at("content").as_string() : token->as_string());
  }
  return tokens;
}

std::string special_tokens_json(const std::vector<std::pair<std::string, std::string>>& tokens) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [name, token] : tokens) json.member(name, std::string_view(token));
  return json.end_object().text();
}

struct Source {
  std::string name, text, file;
};

/// chat_template: one source, or [{"name", "template"}] or {name: template}.
void add_sources(std::vector<Source>& sources, const Json& value, const std::string& file) {
  const auto add = [&](std::string name, std::string_view text) {
    for (const Source& known : sources)
      if (known.name == name) return;  // a file of its own comes before
    sources.push_back({std::move(name), std::string(text), file});
  };
  if (value.is_null()) return;
  if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i)
      add(std::string(value[i].at("name").as_string()), value[i].at("template").as_string());
  } else if (value.is_object()) {
    for (size_t i = 0; i < value.size(); ++i) add(std::string(value.key(i)), value[i].as_string());
  } else {
    add("default", value.as_string());
  }
}

void add_jinja_files(std::vector<Source>& sources, const fs::path& folder) {
  const auto add = [&](const fs::path& file, std::string name) {
    sources.push_back(
        {std::move(name), read_text_file(file.string(), TemplateLimits().max_source_bytes), file.string()});
  };
  if (fs::exists(folder / "chat_template.jinja")) add(folder / "chat_template.jinja", "default");
  std::error_code none;
  std::vector<fs::path> more;
  for (const auto& entry : fs::directory_iterator(folder / "additional_chat_templates", none))
    if (entry.path().extension() == ".jinja") more.push_back(entry.path());
  std::sort(more.begin(), more.end());
  for (const fs::path& file : more) add(file, file.stem().string());
}

}  // namespace

std::optional<ChatTemplate> ChatTemplate::find(const std::string& folder, const TemplateLimits& limits) {
  std::vector<Source> sources;
  add_jinja_files(sources, folder);
  std::vector<std::pair<std::string, std::string>> tokens;
  for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
    const std::string file = (fs::path(folder) / name).string();
    if (!fs::exists(file)) continue;
    const JsonDocument document = JsonDocument::read(file);
    const Json root = document.root();
    if (!root.is_object()) root.fail("expected an object");
    if (sources.empty())
      if (const auto value = root.find("chat_template")) add_sources(sources, *value, file);
    if (std::string_view(name) == "tokenizer_config.json") tokens = special_tokens(root);
  }
  if (sources.empty()) return std::nullopt;
  ChatTemplate chat;
  chat.special_tokens_ = JsonDocument::parse(special_tokens_json(tokens), "special tokens");
  for (Source& source : sources)
    chat.templates_.push_back(
        {source.name, jinja::Template::parse(source.text, source.file, limits), std::move(source.text)});
  return chat;
}

ChatTemplate ChatTemplate::load(const std::string& folder, const TemplateLimits& limits) {
  auto found = find(folder, limits);
  if (found) return std::move(*found);
  throw Error("the model has no chat template", {.file = folder, .field = "chat_template", .offset = {}},
              "put its chat_template.jinja there, or write the prompt as the model expects it, with --prompt");
}

ChatTemplate ChatTemplate::parse(std::string_view source, const std::string& file,
                                 const std::vector<std::pair<std::string, std::string>>& special_tokens,
                                 const TemplateLimits& limits) {
  ChatTemplate chat;
  chat.special_tokens_ = JsonDocument::parse(special_tokens_json(special_tokens), "special tokens");
  chat.templates_.push_back({"default", jinja::Template::parse(source, file, limits), std::string(source)});
  return chat;
}

std::string_view ChatTemplate::source(std::string_view name) const {
  const auto found = std::ranges::find(templates_, name, &Named::name);
  return found == templates_.end() ? std::string_view() : found->source;
}

std::vector<std::string> ChatTemplate::names() const {
  std::vector<std::string> all;
  for (const Named& named : templates_) all.push_back(named.name);
  return all;
}

const ChatTemplate::Named& ChatTemplate::choose(bool tools) const {
  const auto named = [&](std::string_view name) -> const Named* {
    for (const Named& candidate : templates_)
      if (candidate.name == name) return &candidate;
    return nullptr;
  };
  if (const Named* found = tools ? named("tool_use") : nullptr) return *found;
  if (const Named* found = named("default")) return *found;
  std::string all;
  for (const Named& candidate : templates_) all += (all.empty() ? "" : ", ") + candidate.name;
  refuse("the model has several chat templates and none of them is the default: " + all, "chat_template",
         "name one of them default");
}

RenderedChat ChatTemplate::render(const Json& messages, const RenderOptions& options) const {
  check_list(messages, "messages");
  if (messages.size() == 0) refuse("the conversation is empty", "messages", "give at least one message");
  if (options.tools) check_list(*options.tools, "tools");
  if (options.documents) check_list(*options.documents, "documents");
  if (options.add_generation_prompt && options.continue_final_message)
    refuse("a chat cannot end with a new message and within the last one", "--continue-final-message",
           "leave out --add-generation-prompt");
  for (const auto& [name, value] : options.variables)
    if (holds(kReserved, name) || jinja::is_function_name(name))
      refuse("the variable " + name + " is taken: templates rely on it", name);
  const Named& chosen = choose(options.tools.has_value());
  if (options.continue_final_message && chosen.source.find("content") == std::string::npos)
    refuse("the chat template reads no content, so no message can be continued", "--continue-final-message");

  std::vector<jinja::Variable> variables;
  const auto add = [&](std::string_view name, std::optional<Json> value, Origin origin = Origin::data) {
    variables.push_back({std::string(name), [value = std::move(value), origin](Runtime& runtime) {
                           return value ? value_of(runtime, *value, origin) : Value::none();
                         }});
  };
  const Json tokens = special_tokens_.root();
  for (size_t i = 0; i < tokens.size(); ++i) add(tokens.key(i), tokens[i], Origin::literal);
  for (const auto& [name, value] : options.variables) add(name, value);
  add("tools", options.tools);
  add("documents", options.documents);
  variables.push_back(
      {"add_generation_prompt", [&](Runtime&) { return Value::boolean(options.add_generation_prompt); }});
  Text final_message;
  variables.push_back({"messages", [&](Runtime& runtime) {
                         std::vector<Value> list;
                         for (size_t i = 0; i < messages.size(); ++i)
                           list.push_back(message_value(runtime, messages[i]));
                         if (options.continue_final_message) final_message = mark_end(runtime, list.back().as<Dict>());
                         return runtime.list(std::move(list));
                       }});
  jinja::Rendered rendered = chosen.tree.render(variables, options.now.value_or(local_time()));
  if (options.continue_final_message) rendered.text = cut_at_mark(rendered.text, final_message);
  return {.text = std::move(rendered.text), .generations = std::move(rendered.generations)};
}

std::vector<int32_t> ChatTemplate::encode(const Tokenizer& tokenizer, const RenderedChat& chat) {
  std::vector<text::Span> plain;
  uint32_t begin = 0;
  for (const jinja::Run& run : chat.text.runs()) {
    if (run.origin == Origin::data) plain.push_back({begin, run.end});
    begin = run.end;
  }
  return tokenizer.encode(chat.text.view(), {.add_special = false, .plain = plain}).ids;
}

std::string to_json(const Json& value) {
  const TemplateLimits limits;
  const std::tm now{};
  Runtime runtime(limits, now);
  return jinja::dump(runtime, value_of(runtime, value), {});
}

}  // namespace braid
