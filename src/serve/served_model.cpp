#include "serve/served_model.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "core/error.h"
#include "serve/api_error.h"
#include "serve/fields.h"
#include "tasks/chat.h"
#include "text/tokenizer.h"

namespace braid::serve {
namespace {

/// Rows of logits in one step: prompts whose log-probabilities are wanted are read in pieces of so many tokens.
constexpr int64_t kRows = 64;

LoadedModel load(LoadOptions options) {
  options.rows = std::max(kRows, options.sequences);
  LoadedModel model = load_model(options);
  if (model.program->has_entry("decode")) return model;
  LoadOptions texts = text_options(options);
  texts.purpose = Purpose::features;
  return load_model(texts);
}

std::string name_of(const ModelOptions& options, const LoadedModel& model) {
  if (!options.name.empty()) return options.name;
  const std::string path = model.place.file.ends_with(".gguf") ? model.place.file : model.place.folder;
  const std::filesystem::path place = std::filesystem::path(path).lexically_normal();
  return (place.has_filename() ? place : place.parent_path()).stem().string();
}

/// Steps of every size are compiled before the first request comes.
void compile(Program& program) {
  for (const int64_t tokens : {int64_t{1}, program.options().sequences, program.options().step_tokens})
    program.executable("decode", tokens);
}

}  // namespace

ServedModel::ServedModel(const ModelOptions& options) : model_(load(options.load)) {
  name_ = name_of(options, model_);
  const bool generates = model_.program->has_entry("decode");
  if (!options.chat_template.empty())
    chat_ = load_chat_template(options.chat_template);
  else if (generates && has_chat_template(options.load.model))
    chat_ = load_chat_template(options.load.model);
  if (generates)
    compile(*model_.program);
  else
    embeds_ = embed_options(model_);
  loop_ = std::make_unique<EngineLoop>(model_, options.most_waiting);
}

std::vector<std::vector<float>> ServedModel::embed(std::span<const std::string> texts) {
  return braid::embed(model_, texts, *embeds_);
}

std::vector<int32_t> ServedModel::encode(const std::string& text, std::string_view param, bool add_special) const {
  try {
    return model_.need_tokenizer().encode(text, {.add_special = add_special}).ids;
  } catch (const Error& error) {
    throw ApiError(400, std::string(param) + ": " + error.message(), std::string(param));
  }
}

std::string ServedModel::token_text(int32_t id) const {
  if (!model_.tokenizer) return "token_id:" + std::to_string(id);
  const int32_t one[] = {id};
  const std::string text = model_.tokenizer->decode(one);
  const bool broken = text.empty() || text.find("\xef\xbf\xbd") != std::string::npos;
  return broken ? model_.tokenizer->id_to_token(id).value_or(text) : text;
}

bool ServedModel::is_special(int32_t id) const { return model_.tokenizer && model_.tokenizer->is_special(id); }

bool ServedModel::answers(std::chrono::milliseconds most) {
  const auto done = std::make_shared<std::promise<bool>>();
  std::future<bool> answer = done->get_future();
  if (loop_->generates()) {
    GenerateOptions options;
    options.prompt_ids = {{static_cast<int32_t>(std::max<int64_t>(0, model_.generation.bos_token_id.value_or(0)))}};
    options.max_tokens = 1;
    const auto take = [done](const TokenEvent& event) {
      done->set_value(event.has_token);
      return false;
    };
    loop_->submit({{.options = std::move(options), .callback = take}}, [done](const Verdict& verdict) {
      if (verdict.refused) done->set_value(false);
    });
  } else {
    loop_->post([done] { done->set_value(true); });
  }
  return answer.wait_for(most) == std::future_status::ready && answer.get();
}

}  // namespace braid::serve
