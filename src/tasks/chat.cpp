#include "tasks/chat.h"

#include <filesystem>

#include "core/error.h"
#include "core/file_map.h"
#include "files/model_folder.h"

namespace braid {

ChatTemplate load_chat_template(const std::string& model) {
  const ModelFolder place = resolve_model(model);
  if (std::filesystem::path(place.file).extension() == ".jinja")
    return ChatTemplate::parse(read_text_file(place.file, Limits().max_json_bytes), place.file);
  return ChatTemplate::load(place.folder);
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

}  // namespace braid
