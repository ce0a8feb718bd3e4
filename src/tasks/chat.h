#pragma once
// Chat: a model's template found, and what callers hand to it put together.

#include <string>

#include "text/chat.h"

namespace braid {

/// The chat template of MODEL, as on the command line: a .jinja file, a folder that holds a template (and perhaps no
/// model), or a model that resolve_model finds. Throws Error: no model, no template, a broken one.
ChatTemplate load_chat_template(const std::string& model);

/// One variable of a template. add_generation_prompt and continue_final_message set the options of that name.
void set_variable(RenderOptions& options, const std::string& name, const Json& value);
/// Each member of an object, as set_variable takes it.
void set_variables(RenderOptions& options, const Json& kwargs);

}  // namespace braid
