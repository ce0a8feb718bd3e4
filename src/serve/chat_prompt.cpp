#include "serve/chat_prompt.h"

#include "core/error.h"
#include "serve/fields.h"

namespace braid::serve {

std::string quoted(std::string_view text) { return JsonWriter().value(text).text(); }

std::string content_json(Json content, const std::string& where) {
  if (content.is_string() || content.is_null()) return to_json(content);
  if (!content.is_array()) reject(where, "must be a text or a list of parts");
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    const Json part = content[i];
    const auto type = part.is_object() ? part.find("type") : std::nullopt;
    if (!type || !type->is_string()) reject(where, "holds a part without a type");
    const auto words = part.find("text");
    if (type->as_string() != "text" || !words || !words->is_string())
      reject(where, "holds a part of the type " + std::string(type->as_string()) + "; this model reads text",
             "unsupported_parameter");
    text += (i > 0 ? "\n" : "") + std::string(words->as_string());
  }
  return quoted(text);
}

std::vector<int32_t> chat_prompt(const ServedModel& served, Json messages, const RenderOptions& options) {
  if (!served.chat())
    throw ApiError(400, "the model " + served.name() + " has no chat template: use /v1/completions", "messages",
                   "no_chat_template");
  try {
    return ChatTemplate::encode(served.model().need_tokenizer(), served.chat()->render(messages, options));
  } catch (const Error& error) {
    throw ApiError(400, "the chat template refuses the messages: " + error.message(), "messages", "chat_template");
  }
}

}  // namespace braid::serve
