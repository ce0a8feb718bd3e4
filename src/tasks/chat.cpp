#include "tasks/chat.h"

#include <filesystem>

#include "core/error.h"
#include "core/file_map.h"
#include "files/atomic_file.h"
#include "files/gguf.h"
#include "files/model_folder.h"

namespace braid {
namespace {

std::string message_json(std::string_view role, std::string_view content) {
  return JsonWriter().begin_object().member("role", role).member("content", content).end_object().text();
}

bool has_role(const Json& message, std::string_view role) {
  const auto found = message.find("role");
  return found && found->is_string() && found->as_string() == role;
}

/// tokenizer.chat_template of a GGUF file, with the special tokens that its ids name.
ChatTemplate gguf_template(const std::string& file) {
  const GgufModel model = GgufModel::open(file, false);
  const GgufMetadata& metadata = model.metadata();
  const auto source = metadata.text("tokenizer.chat_template");
  if (!source)
    throw Error("the file has no chat template", {.file = file, .field = "tokenizer.chat_template", .offset = {}},
                "write the prompt as the model expects it, with --prompt");
  constexpr std::pair<const char*, const char*> kTokens[] = {
      {"bos_token", "bos"},     {"eos_token", "eos"}, {"unk_token", "unknown"}, {"sep_token", "separator"},
      {"pad_token", "padding"}, {"cls_token", "cls"}, {"mask_token", "mask"}};
  const std::span<const std::string_view> vocabulary = metadata.strings("tokenizer.ggml.tokens");
  std::vector<std::pair<std::string, std::string>> special;
  for (const auto& [name, key] : kTokens) {
    const auto id = metadata.integer("tokenizer.ggml." + std::string(key) + "_token_id");
    if (id && *id >= 0 && static_cast<size_t>(*id) < vocabulary.size())
      special.emplace_back(name, vocabulary[static_cast<size_t>(*id)]);
  }
  return ChatTemplate::parse(*source, file, special);
}

}  // namespace

ChatTemplate load_chat_template(const std::string& model) {
  const ModelFolder place = resolve_model(model);
  if (std::filesystem::path(place.file).extension() == ".jinja")
    return ChatTemplate::parse(read_text_file(place.file, TemplateLimits().max_source_bytes), place.file);
  return is_gguf(place.file) ? gguf_template(place.file) : ChatTemplate::load(place.folder);
}

bool has_chat_template(const std::string& model) {
  const ModelFolder place = resolve_model(model);
  if (is_gguf(place.file)) return GgufModel::open(place.file, false).metadata().has("tokenizer.chat_template");
  return ChatTemplate::find(place.folder).has_value();
}

void set_variable(RenderOptions& options, const std::string& name, const Json& value) {
  if (name == "add_generation_prompt")
    options.add_generation_prompt = value.as_bool();
  else if (name == "continue_final_message")
    options.continue_final_message = value.as_bool();
  else
    options.variables.emplace_back(name, value);
}

void set_variables(RenderOptions& options, const Json& kwargs) {
  if (!kwargs.is_object()) kwargs.fail("template variables must be an object");
  for (size_t i = 0; i < kwargs.size(); ++i) set_variable(options, std::string(kwargs.key(i)), kwargs[i]);
}

void Conversation::set_system(const std::string& text) { system_ = text.empty() ? "" : message_json("system", text); }

void Conversation::add(std::string_view role, std::string_view content) {
  messages_.push_back(message_json(role, content));
}

bool Conversation::is_open() const {
  return !messages_.empty() && !has_role(JsonDocument::parse(messages_.back(), "message").root(), "assistant");
}

void Conversation::load(const std::string& path) {
  const JsonDocument document = JsonDocument::read(path);
  const Json list = document.root();
  if (!list.is_array()) list.fail("a conversation is a list of messages");
  std::string system;
  std::vector<std::string> messages;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_object()) list[i].fail("a message is an object");
    if (i == 0 && has_role(list[i], "system"))
      system = to_json(list[i]);
    else
      messages.push_back(to_json(list[i]));
  }
  if (!system.empty()) system_ = std::move(system);
  messages_ = std::move(messages);
}

std::string Conversation::json() const {
  std::string all = system_;
  for (const std::string& message : messages_) all += (all.empty() ? "" : ",\n ") + message;
  return "[" + all + "]";
}

void Conversation::save(const std::string& path) const {
  AtomicFile file(path);
  file.write(json() + "\n");
  file.commit();
}

std::vector<int32_t> Conversation::prompt(const Tokenizer& tokenizer) const {
  const JsonDocument document = JsonDocument::parse(json(), "conversation");
  RenderOptions options = options_;
  options.add_generation_prompt = true;
  return ChatTemplate::encode(tokenizer, chat_.render(document.root(), options));
}

}  // namespace braid
