#include "files/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <exception>

namespace braid {
namespace {

constexpr long kConnectSeconds = 30;
constexpr long kStallSeconds = 60;  // without a byte
constexpr long kRedirects = 8;

/// One request under way, as the callbacks see it. They are called from C: nothing may be thrown through them.
struct Transfer {
  HttpClient::Sink sink;
  HttpResponse response;
  bool stopped = false;
  std::exception_ptr failure;
};

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return std::string(text);
}

size_t on_header(char* data, size_t, size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  try {
    const std::string_view line(data, size);
    if (line.starts_with("HTTP/")) {
      transfer.response = {};  // the next response of a chain of redirects
      const size_t space = line.find(' ');
      if (space != line.npos)
        std::from_chars(line.data() + space + 1, line.data() + line.size(), transfer.response.status);
    } else if (const size_t colon = line.find(':'); colon != line.npos) {
      std::string name(line.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      transfer.response.headers[name] = trimmed(line.substr(colon + 1));
    }
    return size;
  } catch (...) {
    transfer.failure = std::current_exception();
    return 0;
  }
}

size_t on_body(char* data, size_t, size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  try {
    if (transfer.sink(transfer.response, std::as_bytes(std::span(data, size)))) return size;
    transfer.stopped = true;
  } catch (...) {
    transfer.failure = std::current_exception();
  }
  return 0;
}

/// The URL without its query, which may hold a signature.
std::string shown(const std::string& url) { return url.substr(0, url.find('?')); }

}  // namespace

struct HttpClient::State {
  CURL* curl = curl_easy_init();
  ~State() { curl_easy_cleanup(curl); }
};

HttpClient::HttpClient() : state_(std::make_unique<State>()) {
  if (!state_->curl) throw Error("cannot start libcurl");
}
HttpClient::~HttpClient() = default;

std::string HttpResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

HttpResponse HttpClient::send(const HttpRequest& request, Sink sink) {
  CURL* curl = state_->curl;
  curl_easy_reset(curl);  // keeps the connections
  Transfer transfer{sink, {}, false, nullptr};
  const bool secure = request.url.starts_with("https:");
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request.follow ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kRedirects);
  curl_easy_setopt(curl, CURLOPT_NOBODY, request.head ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "braid");
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  if (!request.token.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request.token.c_str());
  }
  const std::string range = std::to_string(request.from) + "-";
  if (request.ranged) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());

  const CURLcode code = curl_easy_perform(curl);
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  if (code != CURLE_OK && !transfer.stopped)
    throw NetworkError(std::string("the request failed: ") + curl_easy_strerror(code), {shown(request.url), {}, {}},
                       "check the network, HF_ENDPOINT and the proxy settings");
  return std::move(transfer.response);
}

std::pair<HttpResponse, std::string> HttpClient::get_text(const HttpRequest& request, uint64_t max_bytes) {
  std::string text;
  HttpResponse response = send(request, [&](const HttpResponse&, std::span<const std::byte> piece) {
    if (piece.size() > max_bytes - text.size())
      throw Error("the answer is larger than " + std::to_string(max_bytes) + " bytes", {shown(request.url), {}, {}});
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return true;
  });
  return {std::move(response), std::move(text)};
}

std::string url_escape(std::string_view segment) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : segment) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte)) || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace braid
