#pragma once
// Texts as commands take them, and results as they print them.

#include <concepts>
#include <functional>
#include <string>
#include <vector>

#include "cli/load.h"

namespace braid::cli {

/// --text T (may be repeated) and --file LINES (one text a line, "-" for stdin; empty lines are left out).
struct Texts {
  std::vector<std::string> texts;
  std::string file;
};
/// `what` names them in --help: "a sentence". `flag` is the repeatable flag's name.
void add_text_flags(Flags& flags, Texts& texts, std::string_view what, std::string_view flag = "--text");
/// All of them, those of the file last. Throws UsageError when there are none, Error when the file cannot be read.
std::vector<std::string> read_texts(const Texts& texts, std::string_view flag = "--text");

/// A whole file as one text. Throws Error: when it cannot be read, is too long, or at the first byte that is not UTF-8.
std::string read_whole_text(const std::string& path);

/// {"results": …, "compute": …} on stdout, where `results` writes what stands under `key`.
void print_results(Session& session, const LoadedModel& model, std::string_view key,
                   const std::function<void(JsonWriter&)>& results);
/// A list, or lists in lists, whose innermost items `write` writes.
template <class Item, class Write>
void write_lists(JsonWriter& json, const std::vector<Item>& items, const Write& write) {
  json.begin_array();
  for (const Item& item : items) {
    if constexpr (std::invocable<const Write&, const Item&>)
      write(item);
    else
      write_lists(json, item, write);
  }
  json.end_array();
}
/// "0.987": a score as people read it.
std::string score_text(double score);

}  // namespace braid::cli
