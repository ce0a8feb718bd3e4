#pragma once
// What MODEL on the command line means: a folder, a file in it, a name in the Hugging Face cache, an embedded model.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace braid {

/// Where models may lie on this machine.
struct ModelPlaces {
  std::string hub_cache;              ///< holds models--ORG--NAME folders
  std::vector<std::string> embedded;  ///< each holds NAME folders; the first that has it counts

  /// hub_cache: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub. embedded: ../models, ../../models,
  /// ../share/braid/models and ../../share/braid/models, seen from the program.
  static ModelPlaces of_system();
};

/// A model's folder that exists.
struct ModelFolder {
  std::string name;    ///< as the user gave it
  std::string folder;  ///< its path
  std::string file;    ///< the file that the user named (config.json, model.gguf …); empty when it was not a file

  std::string path_of(std::string_view file_name) const;
  bool has(std::string_view file_name) const;
};

/// Finds a model. An existing path comes first, then embedded names, then hub names (a snapshot that refs/main points
/// to). Throws Error that lists what was tried and names that are near.
ModelFolder resolve_model(const std::string& model, const ModelPlaces& places = ModelPlaces::of_system());

/// A model on this machine, for `braid list`.
struct LocalModel {
  std::string name;  ///< "books-4m", "org/name"
  std::string folder;
  std::string revision;  ///< of a snapshot; empty for embedded models
  uint64_t bytes = 0;    ///< of its files
};
std::vector<LocalModel> local_models(const ModelPlaces& places = ModelPlaces::of_system());

/// "org/name" → "models--org--name"; nothing when it is no hub name: one or two parts of letters, digits, '-', '_' and
/// '.', which do not begin or end with '-' or '.' and have no ".." or "--" (huggingface_hub's rule).
std::optional<std::string> hub_folder_name(std::string_view name);

}  // namespace braid
