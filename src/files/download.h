#pragma once
// One file of a hub into the blobs of its cache: found there, gone on with, or fetched; checked; named by its ETag.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "files/http.h"
#include "files/hub.h"
#include "files/sha256.h"

namespace braid {

struct DownloadRequest {
  std::string url;
  std::string folder;  ///< of the blobs
  std::string commit;  ///< what the hub must serve: files of two commits never mix
  std::function<bool(uint64_t done, uint64_t total)> progress;  ///< false stops
};

class Download {
 public:
  Download(HttpClient& http, const HubOptions& options, DownloadRequest request);
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  /// Makes blob() exist, complete and checked. Throws NetworkError when the transfer broke off: what came so far stays
  /// in BLOB.incomplete, and the next attempt (of any process) goes on from there. Throws Error when it cannot succeed.
  void attempt();
  const std::string& blob() const { return blob_; }  ///< file name in the folder
  uint64_t received() const { return received_; }    ///< bytes that came over the network, all attempts together

 private:
  void probe();
  void open_incomplete();
  void begin(const HttpResponse& response);
  void receive();
  void finish();
  void reset();
  void close_file();
  Place place(std::optional<uint64_t> offset = {}) const { return {request_.url, {}, offset}; }
  std::string path_of(const std::string& name) const { return request_.folder + "/" + name; }

  HttpClient& http_;
  const HubOptions& options_;
  DownloadRequest request_;
  std::string etag_;  ///< empty: unknown; the blob is named by its content
  std::optional<uint64_t> total_;
  std::string blob_;
  std::string incomplete_;
  int fd_ = -1;
  uint64_t have_ = 0;
  Sha256 hash_;  ///< of the first have_ bytes
  uint64_t received_ = 0;
};

/// Throws for a status that is no success: NetworkError for those that may pass (429, 5xx).
[[noreturn]] void fail_status(int status, const std::string& url, bool has_token);

}  // namespace braid
