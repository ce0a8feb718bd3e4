#include "cli/texts.h"

#include <cstdio>
#include <fstream>
#include <iostream>

#include "core/error.h"
#include "core/file_map.h"
#include "core/limits.h"
#include "text/unicode/utf8.h"

namespace braid::cli {

void add_text_flags(Flags& flags, Texts& texts, std::string_view what, std::string_view flag) {
  flags.texts(flag, texts.texts, "TEXT: " + std::string(what) + " (may be repeated)");
  flags.text("--file", texts.file, "LINES: more of them, one a line; - reads standard input");
}

std::vector<std::string> read_texts(const Texts& texts, std::string_view flag) {
  std::vector<std::string> all = texts.texts;
  if (!texts.file.empty()) {
    std::ifstream file;
    if (texts.file != "-") file.open(texts.file, std::ios::binary);
    std::istream& in = texts.file == "-" ? std::cin : file;
    if (!in) throw Error("the file cannot be read", {.file = texts.file, .field = "--file", .offset = {}});
    uint64_t bytes = 0;
    for (std::string line; std::getline(in, line);) {
      if (line.ends_with('\r')) line.pop_back();
      if ((bytes += line.size()) > Limits().max_text_bytes)
        throw Error("the texts are too long together", {.file = texts.file, .field = "--file", .offset = bytes},
                    "cut the file into several");
      if (!line.empty()) all.push_back(std::move(line));
    }
    if (in.bad())
      throw Error("the file cannot be read to its end", {.file = texts.file, .field = "--file", .offset = {}});
  }
  if (all.empty()) throw UsageError(std::string(flag) + " or --file is needed");
  return all;
}

std::string read_whole_text(const std::string& path) {
  std::string text = read_text_file(path, Limits().max_text_bytes);
  if (const auto offset = utf8::first_invalid(text)) throw Error("the text is not UTF-8", {path, {}, *offset});
  return text;
}

void print_results(Session& session, const LoadedModel& model, std::string_view key,
                   const std::function<void(JsonWriter&)>& results) {
  JsonWriter json;
  json.begin_object().key(key);
  results(json);
  session.console.print(json.member("compute", compute(*model.program)).end_object().text() + "\n");
}

std::string score_text(double score) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", score);
  return text;
}

}  // namespace braid::cli
