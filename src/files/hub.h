#pragma once
// Downloads from a Hugging Face hub into its cache layout: models--ORG--NAME/{blobs,refs,snapshots}. What
// huggingface_hub has downloaded is found, and the other way round.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"

namespace braid {

struct HubOptions {
  std::string endpoint;  ///< HF_ENDPOINT, else https://huggingface.co
  std::string
      token;  ///< HF_TOKEN, else the content of HF_TOKEN_PATH or HF_HOME/token; sent to the endpoint's host only
  std::string cache;                           ///< see ModelPlaces::hub_cache
  bool offline = false;                        ///< HF_HUB_OFFLINE
  int attempts = 5;                            ///< per file; a later attempt goes on where the last one stopped
  std::chrono::milliseconds retry_delay{500};  ///< before the second attempt; doubles with each further one
  Limits limits;

  static HubOptions of_system();
};

struct PullProgress {
  std::string_view file;
  uint64_t file_done = 0;   ///< bytes
  uint64_t file_total = 0;  ///< 0: the server did not say
  size_t index = 0;         ///< of the file, from 0
  size_t files = 0;
};
/// Called about as often as bytes arrive; false stops the pull (what was downloaded is kept, for the next one to go
/// on).
using PullCallback = std::function<bool(const PullProgress&)>;

struct PullResult {
  std::string folder;    ///< the snapshot
  std::string revision;  ///< commit
  std::vector<std::string> files;
  uint64_t downloaded = 0;  ///< bytes that came over the network
};

/// Downloads config, tokenizer and safetensors files of `name` ("org/name") at `revision`. Each file is checked against
/// the size and, where the server names one, the SHA-256; it appears in the snapshot only when all are complete. Throws
/// Error.
PullResult pull_model(const std::string& name, const HubOptions& options = HubOptions::of_system(),
                      const PullCallback& progress = {}, const std::string& revision = "main");

/// Whether `pull` takes this file of a repository: JSON, safetensors, texts, templates and tokenizer models; never a
/// pickle.
bool is_model_file(std::string_view path);
/// A relative path without "..", empty parts, backslashes and control characters.
bool is_safe_relative_path(std::string_view path);

}  // namespace braid
