#include "cli/command.h"
#include "cli/common.h"
#include "cli/lines.h"
#include "cli/texts.h"
#include "cli/tokenizer.h"
#include "core/error.h"

namespace braid::cli {
namespace {

void write(JsonWriter& json, const Encoding& encoding) {
  json.list("ids", std::span<const int32_t>(encoding.ids)).key("offsets").begin_array();
  for (const auto& [begin, end] : encoding.offsets) json.begin_array().value(begin).value(end).end_array();
  json.end_array().list("type_ids", std::span<const int32_t>(encoding.type_ids));
}

void print_table(Console& console, const Tokenizer& tokenizer, const Encoding& encoding) {
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const auto& [begin, end] = encoding.offsets[i];
    console.print_aside(std::to_string(encoding.ids[i]) + "\t" + std::to_string(begin) + "–" + std::to_string(end) +
                        "\t" + tokenizer.id_to_token(encoding.ids[i]).value_or("") + "\n");
  }
}

}  // namespace

int tokenize(Session& session) {
  Common common;
  std::string model;
  std::optional<std::string> text, file, pair, batch;
  bool no_special = false;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a model, a folder with a tokenizer, or a tokenizer.json");
  flags.text("--text", text, "TEXT: the text");
  flags.text("--file", file, "FILE: read the text from it");
  flags.text("--pair", pair, "TEXT: the second text of a pair");
  flags.on_off("--no-special", no_special, "add no special tokens (beginning of text, separators)");
  flags.text("--batch", batch, "FILE: a line {\"text\", \"pair\"?, \"add_special\"?} each; a JSON object a line out");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  if (text.has_value() + file.has_value() + batch.has_value() != 1)
    throw UsageError("one of --text, --file and --batch is needed");

  const Tokenizer tokenizer = load_tokenizer(model, session.console, common.verbose);
  const auto encode = [&](std::string_view first, std::optional<std::string_view> second, bool add_special) {
    return tokenizer.encode(first, {.add_special = add_special, .parse_special = true, .pair = second});
  };
  if (batch)
    return answer_lines(session, *batch, [&](const Json& line, JsonWriter& out) {
      const std::optional<Json> second = line.find("pair");
      write(out, encode(line.at("text").as_string(),
                        second && !second->is_null() ? std::optional(second->as_string()) : std::nullopt,
                        flag_or(line, "add_special", !no_special)));
    });
  if (file) text = read_whole_text(*file);
  const Encoding encoding = encode(*text, pair, !no_special);
  if (common.verbose) print_table(session.console, tokenizer, encoding);
  if (common.json) {
    JsonWriter json;
    write(json.begin_object(), encoding);
    session.console.print(json.end_object().text() + "\n");
    return 0;
  }
  std::string ids;
  for (const int32_t id : encoding.ids) ids += (ids.empty() ? "" : " ") + std::to_string(id);
  session.console.print(ids + "\n");
  return 0;
}

}  // namespace braid::cli
