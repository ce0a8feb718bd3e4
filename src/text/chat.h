#pragma once
// Chat templates: a conversation as the text, and as the token ids, that a model was trained on. What transformers'
// apply_chat_template gives, but that special tokens written by a user stay text.

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "text/template/template.h"
#include "text/tokenizer.h"

namespace braid {

struct RenderOptions {
  std::optional<Json> tools = std::nullopt;      ///< a list of JSON schemas; absent: the template sees none
  std::optional<Json> documents = std::nullopt;  ///< a list of objects
  bool add_generation_prompt = false;
  bool continue_final_message = false;  ///< end within the last message, so that the model goes on with it
  /// What else the template may read (enable_thinking, bos_token …). Throws UsageError for a name that is taken.
  std::vector<std::pair<std::string, Json>> variables = {};
  std::optional<std::tm> now = std::nullopt;  ///< the clock of strftime_now; absent: this machine's
};

struct RenderedChat {
  /// With who wrote what: the template, or the conversation.
  jinja::Text text;
  /// Bytes [begin, end) of {% generation %} blocks: what an assistant said.
  std::vector<std::pair<size_t, size_t>> generations;
};

/// Immutable once loaded; any number of threads may use one at a time.
class ChatTemplate {
 public:
  /// From a model's folder: chat_template.jinja (and additional_chat_templates/NAME.jinja), chat_template.json, or the
  /// chat_template of tokenizer_config.json, one or several by name; with the special tokens of tokenizer_config.json.
  /// Nothing when the folder has none. Throws Error for one that is broken.
  static std::optional<ChatTemplate> find(const std::string& folder, const TemplateLimits& limits = {});
  /// As find; a folder without a template is an Error that says what to do.
  static ChatTemplate load(const std::string& folder, const TemplateLimits& limits = {});
  /// A template's source; `special_tokens` as "bos_token" → "<s>".
  static ChatTemplate parse(std::string_view source, const std::string& file,
                            const std::vector<std::pair<std::string, std::string>>& special_tokens = {},
                            const TemplateLimits& limits = {});

  /// The conversation, a list of messages, as text. Throws UsageError for messages or options that do not fit,
  /// jinja::TemplateError when the template fails or refuses them.
  RenderedChat render(const Json& messages, const RenderOptions& options = {}) const;

  /// The ids of a rendered conversation. Special tokens are read where the template wrote them and nowhere else, and
  /// the tokenizer adds none, so that no beginning-of-text token is doubled.
  static std::vector<int32_t> encode(const Tokenizer& tokenizer, const RenderedChat& chat);

  /// Names of the templates; "default" is the one for conversations without tools.
  std::vector<std::string> names() const;
  /// The source of the template of this name; empty when there is none.
  std::string_view source(std::string_view name = "default") const;

 private:
  struct Named {
    std::string name;
    jinja::Template tree;
    std::string source;
  };
  ChatTemplate() = default;
  const Named& choose(bool tools) const;

  std::vector<Named> templates_;
  JsonDocument special_tokens_ = JsonDocument::parse("{}", "special tokens");
};

/// A value as JSON text again: integers and reals as they were, on one line.
std::string to_json(const Json& value);

}  // namespace braid
