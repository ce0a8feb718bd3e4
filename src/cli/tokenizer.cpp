#include "cli/tokenizer.h"

#include <filesystem>

#include "files/gguf.h"
#include "files/model_folder.h"
#include "tasks/gguf_tokenizer.h"

namespace braid::cli {

Tokenizer load_tokenizer(const std::string& model, Console& console, bool verbose) {
  const ModelFolder place = resolve_model(model);
  if (is_gguf(place.file)) return gguf_tokenizer(GgufModel::open(place.file, false).metadata());
  // A file with another name than those of a model is a tokenizer's.
  const std::filesystem::path file = place.file;
  const bool named = !place.file.empty() && file.filename() != "config.json" && file.extension() != ".safetensors";
  Tokenizer tokenizer = Tokenizer::load(named ? place.file : place.folder);
  if (verbose)
    for (const std::string& note : tokenizer.notes()) console.note(note);
  return tokenizer;
}

}  // namespace braid::cli
