#pragma once
// Messages of any API as the prompt of a model with a chat template.

#include <string>
#include <string_view>
#include <vector>

#include "serve/served_model.h"

namespace braid::serve {

/// A text as JSON.
std::string quoted(std::string_view text);
/// A message's content as JSON that templates can read: most know one text alone, so several parts, all texts, become
/// its lines. Throws ApiError naming `where`: a part of another type.
std::string content_json(Json content, const std::string& where);
/// The ids that the next message follows. Throws ApiError: the model has no chat template, or it refuses them.
std::vector<int32_t> chat_prompt(const ServedModel& served, Json messages, const RenderOptions& options);

}  // namespace braid::serve
