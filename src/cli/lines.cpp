#include "cli/lines.h"

#include <fstream>

#include "core/error.h"

namespace braid::cli {

int answer_lines(Session& session, const std::string& path,
                 const std::function<void(const Json& line, JsonWriter& out)>& answer) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error("the file cannot be read", {.file = path, .field = "--batch", .offset = {}});
  uint64_t offset = 0;
  for (std::string line; std::getline(in, line) && !session.interrupt.requested();) {
    const uint64_t begin = offset;
    offset += line.size() + 1;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    JsonWriter out;
    try {
      const JsonDocument document = JsonDocument::parse(line, path, {}, begin);
      JsonWriter result;
      answer(document.root(), result.begin_object());
      out = result.end_object();
    } catch (const Error& e) {
      out = JsonWriter().begin_object().member("error", e.line()).end_object();
    }
    session.console.print(out.text() + "\n");
    session.console.flush();  // a reader may wait for this line before it writes the next
  }
  if (in.bad()) throw Error("the file cannot be read to its end", {.file = path, .field = "--batch", .offset = offset});
  return session.interrupt.requested() ? kInterrupted : 0;
}

bool flag_or(const Json& line, std::string_view key, bool otherwise) {
  const std::optional<Json> member = line.find(key);
  return member ? member->as_bool() : otherwise;
}

}  // namespace braid::cli
