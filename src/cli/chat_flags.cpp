#include "cli/chat_flags.h"

#include <cstring>

#include "core/error.h"

namespace braid::cli {
namespace {

std::tm parse_time(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr || *end != '\0')
    throw UsageError("\"" + text + "\" is no time", {.file = {}, .field = "--now", .offset = {}},
                     "write it as 2026-07-26T09:05:03");
  std::tm checked = parts;  // strptime takes February 31st
  if (::timegm(&checked) == -1 || checked.tm_mday != parts.tm_mday)
    throw UsageError("\"" + text + "\" is no day of the calendar", {.file = {}, .field = "--now", .offset = {}});
  return checked;
}

}  // namespace

void ChatFlags::declare(Flags& flags) {
  flags.text("--messages", messages, "FILE: the conversation, a JSON list of {\"role\", \"content\"}");
  flags.text("--tools", tools, "FILE: the tools that the model may call, a JSON list of schemas");
  flags.text("--documents", documents, "FILE: documents to answer from, a JSON list of objects");
  flags.texts("--set", set, "KEY=JSON: a variable of the template, enable_thinking=false (may be repeated)");
  flags.text("--now", now, "TIME: 2026-07-26T09:05:03, the clock that the template sees (this machine's)");
}

RenderOptions ChatFlags::options(std::deque<JsonDocument>& opened) const {
  RenderOptions options;
  const auto read = [&](const std::string& file) { return opened.emplace_back(JsonDocument::read(file)).root(); };
  if (tools) options.tools = read(*tools);
  if (documents) options.documents = read(*documents);
  for (const std::string& setting : set) {
    const size_t equals = setting.find('=');
    const std::string key = setting.substr(0, equals);
    if (equals == std::string::npos || key.empty())
      throw UsageError("\"" + setting + "\" sets nothing", {.file = {}, .field = "--set", .offset = {}},
                       "write KEY=JSON");
    try {
      opened.push_back(JsonDocument::parse(setting.substr(equals + 1), "--set " + key));
    } catch (const Error& error) {
      throw UsageError(error.message(), {.file = {}, .field = "--set " + key, .offset = error.place().offset},
                       "the value is JSON: texts need quotes, " + key + "='\"text\"'");
    }
    set_variable(options, key, opened.back().root());
  }
  if (now) options.now = parse_time(*now);
  return options;
}

}  // namespace braid::cli
