#include "files/model_folder.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/file_map.h"

namespace braid {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHubPrefix = "models--";
constexpr size_t kNear = 3;  // names suggested at most

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator item(folder, error), end; !error && item != end; item.increment(error))
    paths.push_back(item->path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Bytes of the files below a folder, links followed.
uint64_t bytes_below(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator item(folder, error), end; !error && item != end; item.increment(error)) {
    std::error_code ignored;
    if (fs::is_regular_file(item->path(), ignored)) bytes += fs::file_size(item->path(), ignored);
  }
  return bytes;
}

/// The snapshot of a hub folder: the one that refs/main names, or the only one.
std::optional<fs::path> snapshot_of(const fs::path& hub_folder) {
  if (const fs::path reference = hub_folder / "refs" / "main"; is_file(reference)) {
    std::string revision = read_text_file(reference.string(), 256);
    while (!revision.empty() && (revision.back() == '\n' || revision.back() == ' ')) revision.pop_back();
    const bool plain = !revision.empty() && revision != "." && revision != ".." && revision.find('/') == revision.npos;
    if (plain && is_folder(hub_folder / "snapshots" / revision)) return hub_folder / "snapshots" / revision;
  }
  const std::vector<fs::path> snapshots = entries(hub_folder / "snapshots");
  if (snapshots.size() == 1 && is_folder(snapshots[0])) return snapshots[0];
  return std::nullopt;
}

std::string hub_name_of(const fs::path& hub_folder) {
  std::string name = hub_folder.filename().string().substr(kHubPrefix.size());
  if (const size_t dashes = name.find("--"); dashes != name.npos) name.replace(dashes, 2, "/");
  return name;
}

bool is_embedded_name(std::string_view name) {
  return !name.empty() && name[0] != '.' && name.find('/') == name.npos && name.find('\0') == name.npos;
}

/// Levenshtein distance.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// Up to three of `names` that the user may have meant.
std::vector<std::string> near_names(std::string_view wanted, const std::vector<LocalModel>& models) {
  const std::string target = lower(wanted.substr(0, 128));
  std::vector<std::pair<size_t, std::string>> ranked;
  for (const LocalModel& model : models) {
    const std::string full = lower(model.name),
                      last = full.substr(full.find('/') == full.npos ? 0 : full.find('/') + 1);
    const size_t score = std::min(distance(target, full), distance(target, last));
    const bool contains = target.size() >= 3 && full.find(target) != full.npos;
    if (contains || score <= std::max<size_t>(2, target.size() / 3))
      ranked.emplace_back(contains ? 0 : score, model.name);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(kNear, ranked.size()); ++i) names.push_back(ranked[i].second);
  return names;
}

[[noreturn]] void fail_unknown(const std::string& model, const ModelPlaces& places, bool hub_name) {
  std::string tried = "tried the path";
  for (const std::string& folder : places.embedded)
    if (is_embedded_name(model) && is_folder(folder)) tried += ", " + (fs::path(folder) / model).string();
  if (hub_name) tried += ", " + (fs::path(places.hub_cache) / *hub_folder_name(model)).string();
  std::string advice = tried;
  const std::vector<std::string> near = near_names(model, local_models(places));
  if (!near.empty()) {
    advice += "; did you mean";
    for (const std::string& name : near) advice += (&name == &near.front() ? " " : ", ") + name;
    advice += "?";
  } else if (hub_name && model.find('/') != model.npos) {
    advice += "; `braid pull " + model + "` downloads it";
  } else {
    advice += "; `braid list` shows the models of this machine";
  }
  throw Error("no model of this name", {.file = model, .field = {}, .offset = {}}, advice);
}

}  // namespace

ModelPlaces ModelPlaces::of_system() {
  ModelPlaces places;
  if (const std::string cache = environment("HF_HUB_CACHE"); !cache.empty()) {
    places.hub_cache = cache;
  } else if (const std::string home = environment("HF_HOME"); !home.empty()) {
    places.hub_cache = (fs::path(home) / "hub").string();
  } else {
    const std::string cache_home = environment("XDG_CACHE_HOME");
    const fs::path base = cache_home.empty() ? fs::path(environment("HOME")) / ".cache" : fs::path(cache_home);
    places.hub_cache = (base / "huggingface" / "hub").string();
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error)
    for (const char* relative : {"../models", "../../models", "../share/braid/models", "../../share/braid/models"})
      places.embedded.push_back((program.parent_path() / relative).lexically_normal().string());
  return places;
}

std::string ModelFolder::path_of(std::string_view file_name) const { return (fs::path(folder) / file_name).string(); }
bool ModelFolder::has(std::string_view file_name) const { return is_file(fs::path(folder) / file_name); }

ModelFolder resolve_model(const std::string& model, const ModelPlaces& places) {
  if (model.empty() || model.find('\0') != model.npos) throw Error("the model's name is empty");
  const fs::path path(model);
  if (is_folder(path)) return {model, model, {}};
  if (is_file(path)) return {model, path.has_parent_path() ? path.parent_path().string() : ".", model};
  if (is_embedded_name(model))
    for (const std::string& folder : places.embedded)
      if (is_folder(fs::path(folder) / model)) return {model, (fs::path(folder) / model).string(), {}};
  const auto hub_folder = hub_folder_name(model);
  if (hub_folder)
    if (const auto snapshot = snapshot_of(fs::path(places.hub_cache) / *hub_folder))
      return {model, snapshot->string(), {}};
  fail_unknown(model, places, hub_folder.has_value());
}

std::vector<LocalModel> local_models(const ModelPlaces& places) {
  std::vector<LocalModel> models;
  std::set<std::string> seen;
  for (const std::string& folder : places.embedded)
    for (const fs::path& path : entries(folder))
      if (is_file(path / "config.json") && seen.insert(path.filename().string()).second)
        models.push_back({path.filename().string(), path.string(), {}, bytes_below(path)});
  for (const fs::path& path : entries(places.hub_cache)) {
    if (!path.filename().string().starts_with(kHubPrefix)) continue;
    if (const auto snapshot = snapshot_of(path))
      models.push_back({hub_name_of(path), snapshot->string(), snapshot->filename().string(), bytes_below(*snapshot)});
  }
  return models;
}

std::optional<std::string> hub_folder_name(std::string_view name) {
  const size_t slash = name.find('/');
  const auto valid = [](std::string_view part) {
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
             c == '.';
    };
    const auto edge = [](char c) { return c == '-' || c == '.'; };
    return !part.empty() && part.size() <= 96 && std::all_of(part.begin(), part.end(), allowed) &&
           !edge(part.front()) && !edge(part.back()) && part.find("..") == part.npos && part.find("--") == part.npos;
  };
  std::string folder(kHubPrefix);
  if (slash == name.npos) return valid(name) ? std::optional(folder.append(name)) : std::nullopt;
  if (!valid(name.substr(0, slash)) || !valid(name.substr(slash + 1))) return std::nullopt;
  return folder.append(name.substr(0, slash)).append("--").append(name.substr(slash + 1));
}

}  // namespace braid
