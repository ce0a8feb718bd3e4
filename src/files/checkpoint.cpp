#include "files/checkpoint.h"

#include <filesystem>

#include "core/error.h"
#include "core/json.h"
#include "files/safetensors.h"

namespace braid {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";

bool present(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// Whether `path` lies in `folder`; both canonical.
bool within(const fs::path& path, const fs::path& folder) {
  auto part = path.begin();
  for (const fs::path& expected : folder) {
    if (part == path.end() || *part != expected) return false;
    ++part;
  }
  return part != path.end();
}

/// The path of a shard that an index names. It must lie in the folder itself, links followed; in a snapshot of the
/// hub's cache, links lead to the blobs of the same model.
std::string shard_path(const fs::path& folder, const Json& value) {
  const std::string name(value.as_string());
  const fs::path relative(name);
  if (name.empty() || name.find('\0') != name.npos) value.fail("the index names no file");
  if (relative.is_absolute())
    value.fail("the index names an absolute path: " + name, "shards must lie in the model's folder");
  for (const fs::path& part : relative)
    if (part == "..")
      value.fail("the index leads out of the model's folder: " + name, "shards must lie in the model's folder");
  if (relative.extension() != ".safetensors")
    value.fail("the shard is no .safetensors file: " + name, "pickled weights are never opened");
  const fs::path path = folder / relative;
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  if (error) value.fail("the shard " + name + " is missing", "download the model again");
  const fs::path home = fs::canonical(folder);
  const bool snapshot = home.parent_path().filename() == "snapshots";
  if (!within(target, home) && !(snapshot && within(target, home.parent_path().parent_path() / "blobs")))
    value.fail("the shard " + name + " is a link that leads out of the model's folder",
               "shards must lie in the model's folder");
  return path.string();
}

/// Weight files of other programs that lie in the folder, for the error message.
std::string pickled_weights(const fs::path& folder) {
  std::error_code error;
  for (const auto& item : fs::directory_iterator(folder, error)) {
    const fs::path name = item.path().filename(), suffix = name.extension();
    if (suffix == ".bin" || suffix == ".pt" || suffix == ".pth" || suffix == ".pkl" || suffix == ".ckpt" ||
        name == "pytorch_model.bin.index.json")
      return name.string();
  }
  return {};
}

}  // namespace

Checkpoint Checkpoint::open(const std::string& path, const Limits& limits) {
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  const fs::path folder(path);
  std::error_code error;
  if (is_gguf(path) && !fs::is_directory(folder, error)) {
    GgufModel model = GgufModel::open(path, true, limits);
    for (TensorFile& file : model.take_files()) checkpoint.add(std::move(file));
    checkpoint.gguf_ = model.shared_metadata();
  } else if (!fs::is_directory(folder, error)) {
    checkpoint.add(SafetensorsFile::open(path, limits));
  } else if (present(folder / kSingle)) {
    checkpoint.add(SafetensorsFile::open((folder / kSingle).string(), limits));
  } else if (present(folder / kIndex)) {
    const JsonDocument index = JsonDocument::read((folder / kIndex).string(), limits);
    const Json weights = index.root().at("weight_map");
    if (!weights.is_object()) weights.fail("expected an object from tensor names to files");
    if (weights.size() == 0) weights.fail("the index names no tensor");
    std::map<std::string_view, size_t> opened;  // shard name → index into files_
    for (size_t i = 0; i < weights.size(); ++i) {
      const std::string_view name = weights.value(i).as_string();
      if (opened.contains(name)) continue;
      checkpoint.add(SafetensorsFile::open(shard_path(folder, weights.value(i)), limits));
      opened.emplace(name, checkpoint.files_.size() - 1);
    }
    for (size_t i = 0; i < weights.size(); ++i) {
      const Location* found = checkpoint.locate(weights.key(i));
      if (!found || found->file != opened.at(weights.value(i).as_string()))
        weights.value(i).fail("the shard " + std::string(weights.value(i).as_string()) + " has no tensor \"" +
                                  std::string(weights.key(i)) + "\"",
                              "download the model again");
    }
  } else if (const std::string pickle = pickled_weights(folder); !pickle.empty()) {
    throw Error("the model has pickled weights only", {.file = (folder / pickle).string(), .field = {}, .offset = {}},
                "pickles can run code and are never opened: use a revision with safetensors, or convert the model to "
                "safetensors");
  } else {
    throw Error("the folder has no weights", {.file = path, .field = {}, .offset = {}},
                "expected " + std::string(kSingle) + " or " + std::string(kIndex));
  }
  for (const auto& [name, location] : checkpoint.tensors_) {
    checkpoint.names_.push_back(name);
    checkpoint.data_bytes_ += location.entry->bytes;
  }
  return checkpoint;
}

void Checkpoint::add(TensorFile file) {
  files_.push_back(std::move(file));
  const size_t index = files_.size() - 1;
  for (const TensorEntry& entry : files_.back().entries()) {
    const auto [existing, added] = tensors_.emplace(entry.name, Location{index, &entry});
    if (!added)
      throw Error(
          "the tensor is in two shards: " + files_[existing->second.file].path() + " and " + files_.back().path(),
          {.file = files_.back().path(), .field = entry.name, .offset = entry.offset});
  }
}

const Checkpoint::Location* Checkpoint::locate(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

const TensorEntry* Checkpoint::entry(std::string_view name) const {
  const Location* location = locate(name);
  return location ? location->entry : nullptr;
}

std::optional<Tensor> Checkpoint::find(std::string_view name) const {
  const Location* location = locate(name);
  if (!location) return std::nullopt;
  return files_[location->file].tensor(*location->entry);
}

Tensor Checkpoint::at(std::string_view name) const {
  if (auto tensor = find(name)) return *tensor;
  throw Error("the checkpoint has no tensor of this name", {.file = path_, .field = std::string(name), .offset = {}});
}

const std::string& Checkpoint::file_of(std::string_view name) const {
  const Location* location = locate(name);
  return location ? files_[location->file].path() : path_;
}

void Checkpoint::check() const {
  for (const TensorFile& file : files_) file.map()->check();
}

}  // namespace braid
