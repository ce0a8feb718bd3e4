#pragma once
// The flags that describe a conversation: of `render`, and of `run --chat`.

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "tasks/chat.h"

namespace braid::cli {

struct ChatFlags {
  std::optional<std::string> messages, tools, documents, now;
  std::vector<std::string> set;

  void declare(Flags& flags);
  /// Whether any of them was.
  bool given() const { return messages || tools || documents || now || !set.empty(); }
  /// Reads the files. The documents must outlive the options.
  RenderOptions options(std::deque<JsonDocument>& documents) const;
};

}  // namespace braid::cli
