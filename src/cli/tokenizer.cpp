#include "cli/tokenizer.h"

#include <filesystem>

#include "files/gguf.h"
#include "files/model_folder.h"
#include "tasks/gguf_tokenizer.h"

namespace braid::cli {

Tokenizer load_tokenizer(const std::string& model, Console& console, bool verbose) {
  const ModelFolder place = resolve_model(model);
  // A JSON file with another name than config.json is taken for a tokenizer.json.
  const std::filesystem::path file = place.file;
  const bool named = file.extension() == ".json" && file.filename() != "config.json";
  Tokenizer tokenizer = is_gguf(place.file) ? gguf_tokenizer(GgufModel::open(place.file, false).metadata())
                                            : Tokenizer::load(named ? place.file : place.path_of("tokenizer.json"));
  if (verbose)
    for (const std::string& note : tokenizer.notes()) console.note(note);
  return tokenizer;
}

}  // namespace braid::cli
