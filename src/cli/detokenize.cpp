#include "cli/command.h"
#include "cli/common.h"
#include "cli/lines.h"
#include "cli/tokenizer.h"
#include "core/error.h"

namespace braid::cli {

int detokenize(Session& session) {
  Common common;
  std::string model;
  std::optional<std::vector<int32_t>> ids;
  std::optional<std::string> batch;
  bool skip_special = false;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a model, a folder with a tokenizer, or a tokenizer.json");
  flags.ids("--ids", ids, "1,2,3: the token ids");
  flags.on_off("--skip-special", skip_special, "leave special tokens out");
  flags.text("--batch", batch, "FILE: a line {\"ids\", \"skip_special\"?} each; a JSON object a line out");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;
  if (ids.has_value() + batch.has_value() != 1) throw UsageError("one of --ids and --batch is needed");

  const Tokenizer tokenizer = load_tokenizer(model, session.console, common.verbose);
  if (batch)
    return answer_lines(session, *batch, [&](const Json& line, JsonWriter& out) {
      const Json list = line.at("ids");
      std::vector<int32_t> tokens(list.size());
      for (size_t i = 0; i < tokens.size(); ++i) {
        const int64_t id = list[i].as_int();
        if (id < 0 || id > INT32_MAX) list[i].fail("a token id is out of range");
        tokens[i] = static_cast<int32_t>(id);
      }
      out.member("text", tokenizer.decode(tokens, flag_or(line, "skip_special", skip_special)));
    });
  const std::string text = tokenizer.decode(*ids, skip_special);
  if (common.json)
    session.console.print(JsonWriter().begin_object().member("text", text).end_object().text());
  else
    session.console.print(text);
  session.console.print("\n");
  return 0;
}

}  // namespace braid::cli
