#pragma once
// A model as the server has it: its name, what it can do, and the thread that runs it.

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serve/engine_loop.h"
#include "tasks/embed.h"
#include "tasks/load.h"
#include "text/chat.h"

namespace braid::serve {

struct ModelOptions {
  LoadOptions load;                ///< `sequences`: texts that are written at once
  std::string name = {};           ///< as clients name it; empty: the folder's
  std::string chat_template = {};  ///< a .jinja file or a model in place of the model's own
  size_t most_waiting = 512;       ///< requests that wait for their first step; one more gets 429
};

class ServedModel {
 public:
  /// Loads for what the model can do: it writes text, or gives embeddings. Throws Error.
  explicit ServedModel(const ModelOptions& options);

  const std::string& name() const { return name_; }
  const LoadedModel& model() const { return model_; }
  EngineLoop& loop() { return *loop_; }
  const EngineLoop& loop() const { return *loop_; }
  const std::optional<ChatTemplate>& chat() const { return chat_; }
  const std::optional<EmbedOptions>& embeds() const { return embeds_; }
  int64_t context() const { return model_.program->options().context; }
  int64_t vocabulary() const { return model_.program->model().vocabulary; }
  int64_t sequences() const { return model_.program->options().sequences; }

  /// Vectors of texts; on the loop's thread alone. Throws as braid::embed does.
  std::vector<std::vector<float>> embed(std::span<const std::string> texts);
  /// Ids of a text, with what the tokenizer's template adds.
  std::vector<int32_t> encode(const std::string& text, std::string_view param, bool add_special = true) const;
  /// A token on its own; as the vocabulary spells it where it is no whole character.
  std::string token_text(int32_t id) const;
  /// Whether a token is no part of a text (beginning of text …).
  bool is_special(int32_t id) const;
  /// Writes one token and waits for it, for `most` at the latest. False: the model does not answer.
  bool answers(std::chrono::milliseconds most);
  /// Ends its thread, and what still runs there: nobody asks for anything any more.
  void stop() { loop_.reset(); }

 private:
  std::string name_;
  LoadedModel model_;
  std::optional<ChatTemplate> chat_;
  std::optional<EmbedOptions> embeds_;
  std::unique_ptr<EngineLoop> loop_;
};

}  // namespace braid::serve
