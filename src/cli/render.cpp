#include "cli/chat_flags.h"
#include "cli/command.h"
#include "cli/common.h"
#include "cli/lines.h"
#include "cli/tokenizer.h"
#include "core/error.h"

namespace braid::cli {
namespace {

/// One conversation of a batch; what the line does not say is as the flags have it.
RenderOptions line_options(const RenderOptions& flags, const Json& line) {
  RenderOptions options = flags;
  if (const auto tools = line.find("tools")) options.tools = tools->is_null() ? std::nullopt : tools;
  if (const auto documents = line.find("documents"))
    options.documents = documents->is_null() ? std::nullopt : documents;
  if (const auto kwargs = line.find("kwargs"); kwargs && !kwargs->is_null()) set_variables(options, *kwargs);
  options.add_generation_prompt = flag_or(line, "add_generation_prompt", options.add_generation_prompt);
  options.continue_final_message = flag_or(line, "continue_final_message", options.continue_final_message);
  return options;
}

/// On its own, a refusal by the template tells its place as well.
RenderedChat render_one(const ChatTemplate& chat, const Json& messages, const RenderOptions& options,
                        const std::string& model) {
  try {
    return chat.render(messages, options);
  } catch (const jinja::TemplateError& error) {
    if (!error.raised()) throw;
    const std::string line = "line " + std::to_string(error.position().line);
    throw Error(error.message(), {.file = model, .field = "chat template, " + line, .offset = {}});
  }
}

}  // namespace

int render(Session& session) {
  Common common;
  std::string model;
  ChatFlags conversation;
  std::optional<std::string> batch;
  bool add_generation_prompt = false, continue_final_message = false, with_ids = false;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a model, a folder with a chat template, or a .jinja file");
  conversation.declare(flags);
  flags.on_off("--add-generation-prompt", add_generation_prompt, "end with the beginning of an answer");
  flags.on_off("--continue-final-message", continue_final_message, "end within the last message");
  flags.on_off("--ids", with_ids, "also the token ids: special tokens in messages stay text");
  flags.text("--batch", batch,
             "FILE: a line {\"messages\", \"tools\"?, \"documents\"?, \"kwargs\"?} each; a JSON object a line out");
  add_output_flags(flags, common);
  if (!session.parse(flags)) return 0;
  if (conversation.messages.has_value() == batch.has_value())
    throw UsageError("one of --messages and --batch is needed");

  std::deque<JsonDocument> documents;
  RenderOptions options = conversation.options(documents);
  options.add_generation_prompt = options.add_generation_prompt || add_generation_prompt;
  options.continue_final_message = options.continue_final_message || continue_final_message;
  const ChatTemplate chat = load_chat_template(model);
  std::optional<Tokenizer> tokenizer;
  if (with_ids) tokenizer = load_tokenizer(model, session.console, common.verbose);
  const auto write = [&](JsonWriter& out, const RenderedChat& rendered) {
    out.member("text", rendered.text.view());
    if (tokenizer) out.list("ids", std::span<const int32_t>(ChatTemplate::encode(*tokenizer, rendered)));
  };
  if (batch)
    return answer_lines(session, *batch, [&](const Json& line, JsonWriter& out) {
      write(out, chat.render(line.at("messages"), line_options(options, line)));
    });
  const JsonDocument messages = JsonDocument::read(*conversation.messages);
  const RenderedChat rendered = render_one(chat, messages.root(), options, model);
  if (common.json) {
    JsonWriter json;
    write(json.begin_object(), rendered);
    session.console.print(json.end_object().text() + "\n");
    return 0;
  }
  session.console.print(rendered.text.bytes() + "\n");
  if (!tokenizer) return 0;
  std::string ids;
  for (const int32_t id : ChatTemplate::encode(*tokenizer, rendered))
    ids += (ids.empty() ? "" : " ") + std::to_string(id);
  session.console.print(ids + "\n");
  return 0;
}

}  // namespace braid::cli
