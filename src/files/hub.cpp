#include "files/hub.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "core/error.h"
#include "core/file_map.h"
#include "core/json.h"
#include "files/atomic_file.h"
#include "files/download.h"
#include "files/http.h"
#include "files/model_folder.h"

namespace braid {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxListing = 64u << 20;
constexpr std::array<std::string_view, 7> kSuffixes = {".json",  ".safetensors", ".txt", ".jinja",
                                                       ".model", ".tiktoken",    ".spm"};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string without_space(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
  return text;
}

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text[0] != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

/// Does `work` until it passes, at most options.attempts times; only the network's faults are tried again.
template <class F>
auto with_retries(const HubOptions& options, F&& work) {
  auto delay = options.retry_delay;
  for (int attempt = 1;; ++attempt) {
    try {
      return work();
    } catch (const NetworkError&) {
      if (attempt >= options.attempts) throw;
    }
    std::this_thread::sleep_for(delay);
    delay *= 2;
  }
}

struct Listing {
  std::string commit;
  std::vector<std::string> files;
};

Listing list_files(HttpClient& http, const HubOptions& options, const std::string& name, const std::string& revision) {
  const std::string url = options.endpoint + "/api/models/" + name + "/revision/" + url_escape(revision);
  const auto [response, text] = with_retries(options, [&] {
    auto answer = http.get_text({.url = url, .token = options.token}, kMaxListing);
    if (answer.first.status != 200) fail_status(answer.first.status, url, !options.token.empty());
    return answer;
  });
  const JsonDocument document = JsonDocument::parse(text, url, options.limits);
  Listing listing;
  listing.commit = document.root().at("sha").as_string();
  if (!is_plain(listing.commit)) document.root().at("sha").fail("the commit is no plain name");
  const Json siblings = document.root().at("siblings");
  bool pickles = false, safetensors = false;
  for (size_t i = 0; i < siblings.size(); ++i) {
    const Json file_name = siblings[i].at("rfilename");
    const std::string_view path = file_name.as_string();
    if (!is_safe_relative_path(path))
      file_name.fail("the hub names a file outside the model's folder: " + std::string(path), "do not use this hub");
    pickles = pickles || path.ends_with(".bin") || path.ends_with(".pt") || path.ends_with(".pth");
    safetensors = safetensors || path.ends_with(".safetensors");
    if (is_model_file(path)) listing.files.emplace_back(path);
  }
  if (pickles && !safetensors)
    throw Error("the model has pickled weights only", {url, {}, {}},
                "pickles can run code and are never opened: choose a revision with safetensors");
  // Mistral's repositories hold the same weights twice.
  const auto has = [&](std::string_view file) {
    return std::find(listing.files.begin(), listing.files.end(), file) != listing.files.end();
  };
  if (has("model.safetensors") || has("model.safetensors.index.json"))
    std::erase_if(listing.files, [](const std::string& file) {
      return file.starts_with("consolidated") && file.ends_with(".safetensors");
    });
  if (listing.files.empty()) throw Error("the model has no files that Braid reads", {url, {}, {}});
  return listing;
}

std::string file_url(const HubOptions& options, const std::string& name, const std::string& revision,
                     const std::string& file) {
  std::string url = options.endpoint + "/" + name + "/resolve/" + url_escape(revision);
  for (const fs::path& part : fs::path(file)) url += "/" + url_escape(part.string());
  return url;
}

/// A symbolic link that replaces an older one in one step.
void link_to(const fs::path& target, const fs::path& link) try {
  fs::create_directories(link.parent_path());
  const fs::path temporary = link.string() + ".link";
  fs::remove(temporary);
  fs::create_symlink(target, temporary);
  fs::rename(temporary, link);
} catch (const fs::filesystem_error& error) {
  throw Error("cannot make the link: " + error.code().message(), {link.string(), {}, {}});
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error("cannot make the folder: " + error.message(), {folder.string(), {}, {}});
}

}  // namespace

HubOptions HubOptions ::of_system() {
  HubOptions options;
  options.endpoint = environment("HF_ENDPOINT");
  if (options.endpoint.empty()) options.endpoint = "https://huggingface.co";
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  options.cache = ModelPlaces::of_system().hub_cache;
  options.token = without_space(environment("HF_TOKEN"));
  if (options.token.empty()) {
    std::string path = environment("HF_TOKEN_PATH");
    const std::string home = environment("HF_HOME");
    if (path.empty()) path = home.empty() ? environment("HOME") + "/.cache/huggingface/token" : home + "/token";
    std::error_code error;
    if (fs::is_regular_file(path, error)) options.token = without_space(read_text_file(path, 64 << 10));
  }
  const std::string offline = environment("HF_HUB_OFFLINE");
  options.offline = !offline.empty() && offline != "0";
  return options;
}

bool is_model_file(std::string_view path) {
  return std::any_of(kSuffixes.begin(), kSuffixes.end(),
                     [&](std::string_view suffix) { return path.ends_with(suffix); });
}

bool is_safe_relative_path(std::string_view path) {
  if (path.empty() || path.size() > 1024) return false;
  for (const char c : path)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\') return false;
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == path.npos) return true;
    path.remove_prefix(slash + 1);
  }
}

PullResult pull_model(const std::string& name, const HubOptions& options, const PullCallback& progress,
                      const std::string& revision) {
  const auto folder_name = hub_folder_name(name);
  if (!folder_name) throw Error("no name of a model on the hub", {name, {}, {}}, "expected ORGANISATION/NAME");
  if (!is_plain(revision)) throw Error("no name of a revision", {name, revision, {}});
  if (options.offline) throw Error("HF_HUB_OFFLINE forbids downloads", {name, {}, {}}, "unset it");
  const fs::path home = fs::path(options.cache) / *folder_name;

  HttpClient http;
  const Listing listing = list_files(http, options, name, revision);
  PullResult result{
      .folder = (home / "snapshots" / listing.commit).string(), .revision = listing.commit, .files = listing.files};
  make_folder(home / "blobs");

  std::vector<std::string> blobs;
  for (size_t i = 0; i < listing.files.size(); ++i) {
    const std::string& file = listing.files[i];
    const std::string url = file_url(options, name, revision, file);
    Download download(http, options,
                      {.url = url,
                       .folder = (home / "blobs").string(),
                       .commit = listing.commit,
                       .progress = [&](uint64_t done, uint64_t total) {
                         return !progress || progress({.file = file,
                                                       .file_done = done,
                                                       .file_total = total,
                                                       .index = i,
                                                       .files = listing.files.size()});
                       }});
    with_retries(options, [&] { download.attempt(); });
    blobs.push_back(download.blob());
    result.downloaded += download.received();
  }
  // Only now, when all is there, does the snapshot appear: a folder that exists is complete.
  for (size_t i = 0; i < blobs.size(); ++i) {
    fs::path up = "../../blobs";
    for (size_t depth = 0;
         depth < static_cast<size_t>(std::count(listing.files[i].begin(), listing.files[i].end(), '/')); ++depth)
      up = ".." / up;
    link_to(up / blobs[i], fs::path(result.folder) / listing.files[i]);
  }
  make_folder(home / "refs");
  AtomicFile reference((home / "refs" / revision).string());
  reference.write(listing.commit);
  reference.commit();
  return result;
}

}  // namespace braid
