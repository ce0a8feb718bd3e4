#include "files/download.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/error.h"

namespace braid {
namespace {

namespace fs = std::filesystem;
constexpr int kRedirects = 5;

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// W/"abc" → abc; nothing when it could not be a file name.
std::string etag_name(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  const bool plain = !etag.empty() && etag.size() <= 128 && std::all_of(etag.begin(), etag.end(), [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || c == '-' || c == '_';
  });
  return plain ? std::string(etag) : std::string();
}

bool is_sha256(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == name.npos;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// "https://host:port/path" → "https://host:port".
std::string origin(const std::string& url) {
  const size_t scheme = url.find("://");
  return url.substr(0, scheme == url.npos ? url.npos : url.find('/', scheme + 3));
}

/// "bytes 5-9/10" → (5, 10).
std::pair<std::optional<uint64_t>, std::optional<uint64_t>> content_range(const std::string& header) {
  const size_t dash = header.find('-'), slash = header.find('/');
  if (!header.starts_with("bytes ") || dash == header.npos || slash == header.npos) return {};
  return {number(std::string_view(header).substr(6, dash - 6)), number(std::string_view(header).substr(slash + 1))};
}

}  // namespace

void fail_status(int status, const std::string& url, bool has_token) {
  const Place place{url, {}, {}};
  if (status == 401 || status == 403)
    throw Error("access is denied (status " + std::to_string(status) + ")", place,
                has_token ? "the token has no access: accept the model's licence on its page"
                          : "set HF_TOKEN, and accept the model's licence on its page if it has one");
  if (status == 404)
    throw Error("the hub has no such model, revision or file (status 404)", place, "check the spelling");
  const std::string what = "the hub answered with status " + std::to_string(status);
  if (status == 429 || status >= 500) throw NetworkError(what, place, "try again later");
  throw Error(what, place);
}

Download::Download(HttpClient& http, const HubOptions& options, DownloadRequest request)
    : http_(http), options_(options), request_(std::move(request)) {}

Download::~Download() { close_file(); }

void Download::close_file() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));  // and with it, the lock goes
}

void Download::attempt() {
  close_file();
  probe();
  if (!etag_.empty()) {
    std::error_code error;
    const fs::path done = path_of(etag_);
    if (fs::is_regular_file(done, error) && (!total_ || fs::file_size(done, error) == *total_)) {
      blob_ = etag_;
      return;
    }
  }
  open_incomplete();
  if (!total_ || have_ != *total_) receive();
  finish();
}

/// Asks for ETag, size and commit. Large files redirect to a store, whose own ETag says nothing: only the hub's answer
/// counts.
void Download::probe() {
  std::string url = request_.url;
  bool head = true;
  for (int hop = 0; hop <= kRedirects; ++hop) {
    // Servers without HEAD get a GET that ends after the headers.
    const HttpResponse response =
        http_.send({.url = url, .head = head, .follow = false, .token = options_.token, .ranged = !head},
                   [](const HttpResponse&, std::span<const std::byte>) { return false; });
    if (head && (response.status == 405 || response.status == 501)) {
      head = false;
      continue;
    }
    const std::string location = response.header("location");
    const bool redirect = is_redirect(response.status);
    if (redirect && location.starts_with("/") && !location.starts_with("//")) {  // a model that was renamed
      url = origin(options_.endpoint) + location;
      continue;
    }
    if (response.status != 200 && response.status != 206 && !redirect)
      fail_status(response.status, request_.url, !options_.token.empty());
    const std::string commit = response.header("x-repo-commit");
    if (!commit.empty() && commit != request_.commit)
      throw Error("the model changed on the hub during the download", place(), "run it again");
    const std::string linked = response.header("x-linked-etag");
    etag_ = etag_name(!linked.empty() ? linked : redirect ? "" : response.header("etag"));
    total_ = number(response.header("x-linked-size"));
    if (!total_ && response.status == 200) total_ = number(response.header("content-length"));
    if (!total_ && response.status == 206) total_ = content_range(response.header("content-range")).second;
    if (total_ && *total_ > options_.limits.max_download_bytes)
      throw Error("the file has " + std::to_string(*total_) + " bytes, more than " +
                      std::to_string(options_.limits.max_download_bytes),
                  place());
    return;
  }
  throw Error("the hub redirects in circles", place());
}

void Download::open_incomplete() {
  Sha256 name;
  name.update(std::as_bytes(std::span(request_.url)));
  incomplete_ = path_of((etag_.empty() ? name.finish() : etag_) + ".incomplete");
  fd_ = open(incomplete_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw Error(std::string("cannot open the file: ") + std::strerror(errno), {incomplete_, {}, {}});
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0)
    throw Error("another download of this file is under way", {incomplete_, {}, {}}, "wait until it is done");
  reset();
  if (etag_.empty()) {  // nothing says that what is there belongs to the same content
    if (ftruncate(fd_, 0) != 0)
      throw Error(std::string("cannot write the file: ") + std::strerror(errno), {incomplete_, {}, {}});
    return;
  }
  std::array<std::byte, 1 << 16> buffer;
  for (;;) {
    const ssize_t got = read(fd_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(std::string("cannot read the file: ") + std::strerror(errno), {incomplete_, {}, have_});
    if (got == 0) break;
    hash_.update(std::span(buffer).first(static_cast<size_t>(got)));
    have_ += static_cast<uint64_t>(got);
  }
  if (total_ && have_ > *total_) {
    reset();
    if (ftruncate(fd_, 0) != 0)
      throw Error(std::string("cannot write the file: ") + std::strerror(errno), {incomplete_, {}, {}});
  }
}

void Download::reset() {
  have_ = 0;
  hash_ = Sha256();
}

/// Looks at the headers of the body that is about to come.
void Download::begin(const HttpResponse& response) {
  if (response.status == 200) {
    // The whole file, asked for or not.
    reset();
    if (ftruncate(fd_, 0) != 0 || lseek(fd_, 0, SEEK_SET) != 0)
      throw Error(std::string("cannot write the file: ") + std::strerror(errno), {incomplete_, {}, {}});
    if (!total_) total_ = number(response.header("content-length"));
    return;
  }
  const auto [start, total] = content_range(response.header("content-range"));
  if (start != have_ || (total && total_ && *total != *total_))
    throw Error("the hub sent another part of the file than asked for", place(have_));
}

void Download::receive() {
  bool begun = false;
  const HttpRequest request{.url = request_.url, .token = options_.token, .from = have_, .ranged = have_ > 0};
  const HttpResponse response = http_.send(request, [&](const HttpResponse& head, std::span<const std::byte> piece) {
    if (head.status != 200 && head.status != 206) return is_redirect(head.status);  // bodies of redirects are skipped
    if (!std::exchange(begun, true)) begin(head);
    if (have_ + piece.size() > total_.value_or(options_.limits.max_download_bytes))
      throw Error("the hub sent more bytes than it announced", place(have_));
    for (auto rest = piece; !rest.empty();) {
      const ssize_t done = write(fd_, rest.data(), rest.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0)
        throw Error(std::string("cannot write the file: ") + std::strerror(errno), {incomplete_, {}, have_},
                    errno == ENOSPC ? "free some disk space" : "");
      rest = rest.subspan(static_cast<size_t>(done));
    }
    hash_.update(piece);
    have_ += piece.size();
    received_ += piece.size();
    if (request_.progress && !request_.progress(have_, total_.value_or(0)))
      throw Error("the download was stopped", place(), "run it again to go on");
    return true;
  });
  if (response.status == 416) {  // what is here is not a part of what is there
    if (ftruncate(fd_, 0) != 0)
      throw Error(std::string("cannot write the file: ") + std::strerror(errno), {incomplete_, {}, {}});
    throw NetworkError("the hub refused to go on with the file", place(have_), "run it again");
  }
  if (response.status != 200 && response.status != 206)
    fail_status(response.status, request_.url, !options_.token.empty());
}

void Download::finish() {
  if (total_ && have_ != *total_)
    throw NetworkError(
        "the file ended early: expected " + std::to_string(*total_) + " bytes, received " + std::to_string(have_),
        place(have_), "run it again to go on");
  const std::string digest = hash_.finish();
  if (is_sha256(etag_) && digest != etag_) {
    unlink(incomplete_.c_str());
    throw Error("the checksum is wrong: expected SHA-256 " + etag_ + ", received " + digest, place(),
                "run it again; if it stays, the hub's copy is damaged");
  }
  blob_ = etag_.empty() ? digest : etag_;
  if (fsync(fd_) != 0 || rename(incomplete_.c_str(), path_of(blob_).c_str()) != 0)
    throw Error(std::string("cannot write the file: ") + std::strerror(errno), {path_of(blob_), {}, {}},
                errno == ENOSPC ? "free some disk space" : "");
  close_file();
}

}  // namespace braid
