#pragma once
// Chat: a model's template found, and what callers hand to it put together.

#include <string>
#include <vector>

#include "text/chat.h"

namespace braid {

/// The chat template of MODEL, as on the command line: a .jinja file, a folder that holds a template (and perhaps no
/// model), or a model that resolve_model finds. Throws Error: no model, no template, a broken one.
ChatTemplate load_chat_template(const std::string& model);

/// Whether MODEL has one. Throws Error for one that is broken.
bool has_chat_template(const std::string& model);

/// One variable of a template. add_generation_prompt and continue_final_message set the options of that name.
void set_variable(RenderOptions& options, const std::string& name, const Json& value);
/// Each member of an object, as set_variable takes it.
void set_variables(RenderOptions& options, const Json& kwargs);

/// What was said, and what a model is to answer to.
class Conversation {
 public:
  /// `options`: tools, variables, the clock; what they refer to must outlive the conversation.
  Conversation(ChatTemplate chat, RenderOptions options) : chat_(std::move(chat)), options_(std::move(options)) {}

  /// The message that the conversation begins with; an empty text takes it away.
  void set_system(const std::string& text);
  void add(std::string_view role, std::string_view content);
  /// Takes the last message back (a question that got no answer).
  void drop_last() { messages_.pop_back(); }
  /// Forgets everything but the system message.
  void reset() { messages_.clear(); }
  size_t size() const { return messages_.size(); }
  /// Whether the last message waits for an answer.
  bool is_open() const;

  /// A JSON list of messages; a system message at its beginning becomes the conversation's. Throws Error.
  void load(const std::string& path);
  void save(const std::string& path) const;
  std::string json() const;

  /// The ids that the next answer follows. Throws UsageError, jinja::TemplateError.
  std::vector<int32_t> prompt(const Tokenizer& tokenizer) const;

 private:
  ChatTemplate chat_;
  RenderOptions options_;
  std::string system_;                 // JSON of the message; empty: none
  std::vector<std::string> messages_;  // JSON each
};

}  // namespace braid
