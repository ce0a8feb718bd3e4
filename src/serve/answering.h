#pragma once
// One request for text on its way through the engine: its texts as they are written, and the pieces or the whole that
// the client gets. How they are worded is an AnswerFormat's matter.

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serve/generation_fields.h"
#include "serve/service.h"
#include "tasks/text_stream.h"

namespace braid::serve {

/// A text, or the part of it that is sent now.
struct AnswerPart {
  size_t index = 0;   ///< of all texts: those of the first prompt first
  size_t prompt = 0;  ///< which of the prompts it continues
  std::string text = {};
  std::vector<int32_t> token_ids = {};
  std::vector<TokenLogprob> logprobs = {};  ///< one per token, when they are wanted
  FinishReason finished = FinishReason::none;
  std::string stop_string = {};  ///< that ended it
  bool first = false;            ///< nothing of this text was sent before
};

struct AnswerUsage {
  int64_t prompt_tokens = 0, completion_tokens = 0;
};

/// An API's words. Strings of a stream are whole events.
class AnswerFormat {
 public:
  virtual ~AnswerFormat() = default;
  /// The log-probabilities of a prompt's tokens, from the second on; before any of its texts.
  virtual void take_prompt(size_t prompt, std::vector<TokenLogprob> logprobs) = 0;
  virtual std::string part(const AnswerPart& part) = 0;
  virtual std::string end(const AnswerUsage& usage) = 0;
  virtual std::string whole(const std::vector<AnswerPart>& texts, const AnswerUsage& usage) = 0;
};

struct AnswerRequest {
  std::vector<std::vector<int32_t>> prompts;
  GenerationFields generation;
  bool no_text = false;  ///< max_tokens 0: the prompt alone is wanted
};

class Answering : public std::enable_shared_from_this<Answering> {
 public:
  Answering(std::shared_ptr<Call> call, AnswerRequest request, std::unique_ptr<AnswerFormat> format);
  /// Hands it to the engine and returns. A reader that goes away ends it.
  void start();

 private:
  using Clock = Call::Clock;
  struct Text {
    AnswerPart part;  ///< whole, or what was not sent yet
    std::string pending;
    Clock::time_point last = {};
  };
  bool take(size_t prompt, const TokenEvent& event);
  bool write(Text& text, TextStream& stream, const TokenEvent& event);
  void measure(Text& text, bool first);
  void finish();
  void fail(const ApiError& error);

  const std::shared_ptr<Call> call_;
  AnswerRequest request_;
  const std::unique_ptr<AnswerFormat> format_;
  // Of the engine loop's thread alone.
  const TextCallback silent_ = {};
  std::vector<Text> texts_;
  std::deque<TextStream> streams_;  // which refer to the texts
  std::vector<bool> begun_;         // prompts that have a token
  AnswerUsage usage_;
  size_t open_ = 0;
  bool failed_ = false;
};

/// {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details"} as the member "usage".
void write_usage(JsonWriter& json, const AnswerUsage& usage);
/// "stop", "length" or null as the member "finish_reason".
void write_finish(JsonWriter& json, FinishReason finished);

}  // namespace braid::serve
