// Any bytes as a chat template, with messages behind it: refused with an Error that has a place in it, or rendered to
// UTF-8 within the budgets, whose runs and generation spans lie within it.
// The messages stand behind a line of "%%"; a file without one is tried on a conversation with most things in it.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/chat.h"
#include "text/unicode/utf8.h"

namespace {

using namespace braid;

constexpr std::string_view kMessages =
    R"([{"role": "system", "content": "Be <b>brief</b> & kind."}, {"role": "user", "content": [{"type": "text", "text": "Ünï 🦙 {{ x }}"}]},)"
    R"({"role": "assistant", "content": null, "reasoning": "hm", "tool_calls": [{"id": "a1", "type": "function", "function": {"name": "f",)"
    R"("arguments": {"a": [1, -2.5, 1e-7, true, null, "q\"'"], "b": {}}}}]}, {"role": "tool", "content": "{\"t\": 1}", "tool_call_id": "a1"}])";

/// Small ones, so that a run takes no longer than it must.
constexpr TemplateLimits kLimits{
    .max_text_bytes = 1 << 16, .max_steps = 20'000, .max_bytes = 4 << 20, .max_range = 1'000, .max_depth = 200};

void require(bool sound) {
  if (!sound) std::abort();
}

void check(const RenderedChat& chat) {
  require(!utf8::first_invalid(chat.text.view()));
  uint32_t begin = 0;
  for (const jinja::Run& run : chat.text.runs()) {
    require(run.end > begin);
    begin = run.end;
  }
  require(begin == chat.text.size());
  for (const auto& [from, to] : chat.generations) require(from <= to && to <= chat.text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view source(reinterpret_cast<const char*>(data), size), messages = kMessages;
  if (const size_t line = source.rfind("\n%%\n"); line != std::string_view::npos) {
    messages = source.substr(line + 4);
    source = source.substr(0, line);
  }
  try {
    const ChatTemplate chat = ChatTemplate::parse(source, "fuzz.jinja", {{"bos_token", "<s>"}}, kLimits);
    const JsonDocument document = JsonDocument::parse(messages, "messages");
    const JsonDocument tools = JsonDocument::parse(R"([{"type": "function", "function": {"name": "f"}}])", "tools");
    check(chat.render(document.root(), {.tools = tools.root(), .add_generation_prompt = true, .now = std::tm{}}));
    check(chat.render(document.root(), {.continue_final_message = true, .now = std::tm{}}));
  } catch (const jinja::TemplateError& error) {
    require(error.position().line >= 1 && error.position().column >= 1);
  } catch (const Error&) {
  }
  return 0;
}
