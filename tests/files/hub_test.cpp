#include "files/hub.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/file_map.h"
#include "files/http_server.h"
#include "files/model_folder.h"
#include "files/sha256.h"
#include "support/kit.h"

namespace braid {
namespace {

namespace fs = std::filesystem;
using test::ServedRequest;
using test::ServedResponse;

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.finish();
}

/// A hub with one model, org/tiny, which behaves as huggingface.co does: large files redirect to a store of another
/// origin (here: another path), ranges are honoured, and faults can be switched on.
class FakeHub {
 public:
  FakeHub()
      : server_([this](const ServedRequest& request) { return respond(request); }),
        store_([this](const ServedRequest& request) { return respond(request); }) {
    for (int i = 0; i < 300'000; ++i) weights_.push_back(static_cast<char>(i * 7));
    files_["config.json"] = "{\"model_type\":\"llama\"}";
    files_["tokenizer.json"] = "{}";
    files_["1_Pooling/config.json"] = "{\"pooling\":1}";
    files_["model.safetensors"] = weights_;
    listed_ = {"config.json",       "tokenizer.json", "model.safetensors", "1_Pooling/config.json",
               "pytorch_model.bin", ".gitattributes", "README.md",         "run.py"};
  }

  ServedResponse respond(const ServedRequest& request) {
    if (!token.empty() && request.path.find("/store/") == std::string::npos) {
      const auto header = request.headers.find("authorization");
      if (header == request.headers.end() || header->second != "Bearer " + token) return {.status = 401};
    }
    if (failures > 0) return --failures, ServedResponse{.status = 503};
    if (request.path == "/api/models/org/tiny/revision/main") return {.body = listing()};
    const std::string resolve = "/org/tiny/resolve/main/", store = "/store/";
    if (request.method == "HEAD" && !heads) return {.status = 501};
    if (request.path.starts_with(resolve)) {
      const std::string name = request.path.substr(resolve.size());
      const auto file = files_.find(name);
      if (file == files_.end()) return {.status = 404};
      if (!name.ends_with(".safetensors"))
        return content(
            request, file->second,
            {{"ETag", "W/\"" + sha256(file->second).substr(0, 40) + "\""}, {"X-Repo-Commit", served_commit}});
      return {.status = 302,
              .headers = {{"Location", store_.url() + store + name},
                          {"X-Linked-Etag", "\"" + linked_etag.value_or(sha256(weights_)) + "\""},
                          {"X-Linked-Size", std::to_string(weights_.size())},
                          {"X-Repo-Commit", served_commit}}};
    }
    if (request.path.starts_with(store))
      return content(request, damaged ? std::string(weights_.size(), 'x') : weights_, {{"ETag", "\"store\""}});
    return {.status = 404};
  }

  std::string url() const { return server_.url(); }
  std::vector<ServedRequest> requests(const std::string& method, const std::string& part) const {
    std::vector<ServedRequest> found;
    for (const ServedRequest& request : (part == "/store/" ? store_ : server_).requests())
      if (request.method == method && request.path.find(part) != std::string::npos) found.push_back(request);
    return found;
  }
  const std::string& weights() const { return weights_; }

  std::vector<std::string>& listed() { return listed_; }
  std::string token;
  std::atomic<int> failures{0};  // the next requests answer 503
  std::atomic<size_t> cuts{0};   // the next bodies of weights break off after a third
  std::atomic<bool> ranges{true}, heads{true}, damaged{false};
  std::optional<std::string> linked_etag;
  std::string served_commit = kCommit;
  static constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

 private:
  std::string listing() const {
    std::string text = std::string("{\"sha\":\"") + kCommit + "\",\"siblings\":[";
    for (const std::string& file : listed_)
      text += (&file == &listed_.front() ? "" : ",") + ("{\"rfilename\":\"" + file + "\"}");
    return text + "]}";
  }

  ServedResponse content(const ServedRequest& request, const std::string& body,
                         std::map<std::string, std::string> headers) {
    ServedResponse response{.headers = std::move(headers), .body = body};
    const auto range = request.headers.find("range");
    if (range != request.headers.end() && ranges) {
      const size_t from = std::stoull(range->second.substr(6));
      if (from >= body.size()) return {.status = 416};
      response.status = 206;
      response.body = body.substr(from);
      response.headers["Content-Range"] =
          "bytes " + std::to_string(from) + "-" + std::to_string(body.size() - 1) + "/" + std::to_string(body.size());
    }
    if (request.method == "GET" && body.size() == weights_.size() && cuts > 0) {
      --cuts;
      response.cut = response.body.size() / 3;
    }
    return response;
  }

  std::string weights_;
  std::map<std::string, std::string> files_;
  std::vector<std::string> listed_;
  test::HttpServer server_, store_;  // two origins: a token for the one must not reach the other
};

class Hub : public testing::Test {
 protected:
  HubOptions options() const {
    return {.endpoint = hub_.url(),
            .token = {},
            .cache = cache_.path().string(),
            .offline = false,
            .attempts = 5,
            .retry_delay = std::chrono::milliseconds(1),
            .limits = {}};
  }
  Error failure(const HubOptions& options, const std::string& name = "org/tiny") const {
    try {
      pull_model(name, options);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the pull succeeded";
    return Error("");
  }
  fs::path home() const { return cache_.path() / "models--org--tiny"; }
  std::string pulled(const std::string& file) const {
    return read_text_file((home() / "snapshots" / FakeHub::kCommit / file).string(), 1 << 20);
  }
  std::vector<fs::path> leftovers() const {
    std::vector<fs::path> found;
    if (fs::exists(home() / "blobs"))
      for (const auto& item : fs::directory_iterator(home() / "blobs"))
        if (item.path().extension() == ".incomplete") found.push_back(item.path());
    return found;
  }

  test::TempDirectory cache_;
  FakeHub hub_;
};

TEST_F(Hub, PullsAModelIntoTheCachesLayout) {
  const PullResult result = pull_model("org/tiny", options());
  EXPECT_EQ(result.revision, FakeHub::kCommit);
  EXPECT_EQ(result.files,
            (std::vector<std::string>{"config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"}));
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
  EXPECT_EQ(pulled("1_Pooling/config.json"), "{\"pooling\":1}");
  EXPECT_TRUE(fs::is_symlink(home() / "snapshots" / FakeHub::kCommit / "config.json"));
  EXPECT_EQ(fs::read_symlink(home() / "snapshots" / FakeHub::kCommit / "model.safetensors"),
            "../../blobs/" + sha256(hub_.weights()));
  EXPECT_EQ(read_text_file((home() / "refs/main").string(), 100), FakeHub::kCommit);
  EXPECT_TRUE(leftovers().empty());
  EXPECT_TRUE(hub_.requests("GET", "pytorch_model.bin").empty());
  EXPECT_EQ(resolve_model("org/tiny", {cache_.path().string(), {}}).folder, result.folder);
  EXPECT_EQ(local_models({cache_.path().string(), {}}).size(), 1u);
}

TEST_F(Hub, ASecondPullDownloadsNothing) {
  EXPECT_GT(pull_model("org/tiny", options()).downloaded, 300'000u);
  EXPECT_EQ(pull_model("org/tiny", options()).downloaded, 0u);
}

TEST_F(Hub, ABrokenTransferGoesOnWhereItStopped) {
  hub_.cuts = 2;
  pull_model("org/tiny", options());
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
  const auto requests = hub_.requests("GET", "/store/");
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_FALSE(requests[0].headers.contains("range"));
  EXPECT_EQ(requests[1].headers.at("range"), "bytes=100000-");
  EXPECT_EQ(requests[2].headers.at("range"), "bytes=166666-");
}

TEST_F(Hub, ALaterPullGoesOnWhereAnEarlierOneStopped) {
  hub_.cuts = 1;
  HubOptions once = options();
  once.attempts = 1;
  EXPECT_NE(failure(once).place().file.find("model.safetensors"), std::string::npos);
  ASSERT_EQ(leftovers().size(), 1u);
  EXPECT_EQ(fs::file_size(leftovers()[0]), 100'000u);
  EXPECT_FALSE(fs::exists(home() / "snapshots"));
  pull_model("org/tiny", once);
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
  EXPECT_EQ(hub_.requests("GET", "/store/").back().headers.at("range"), "bytes=100000-");
}

TEST_F(Hub, AServerWithoutRangesIsReadFromTheStart) {
  hub_.cuts = 1;
  hub_.ranges = false;
  pull_model("org/tiny", options());
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
}

TEST_F(Hub, AServerWithoutHeadRequestsWorks) {
  hub_.heads = false;
  pull_model("org/tiny", options());
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
}

TEST_F(Hub, AnIncompleteFileThatIsTooLongIsDropped) {
  fs::create_directories(home() / "blobs");
  std::ofstream(home() / "blobs" / (sha256(hub_.weights()) + ".incomplete")) << std::string(400'000, 'y');
  pull_model("org/tiny", options());
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
}

TEST_F(Hub, AnIncompleteFileWithOtherBytesFailsTheChecksumAndIsRemoved) {
  fs::create_directories(home() / "blobs");
  std::ofstream(home() / "blobs" / (sha256(hub_.weights()) + ".incomplete")) << "other bytes";
  EXPECT_NE(failure(options()).message().find("checksum"), std::string::npos);
  EXPECT_TRUE(leftovers().empty());
  pull_model("org/tiny", options());
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
}

TEST_F(Hub, AWrongChecksumIsRefused) {
  hub_.damaged = true;
  const Error error = failure(options());
  EXPECT_NE(error.message().find("expected SHA-256 " + sha256(hub_.weights())), std::string::npos) << error.line();
  EXPECT_TRUE(leftovers().empty());
  EXPECT_FALSE(fs::exists(home() / "snapshots"));
  EXPECT_EQ(hub_.requests("GET", "/store/").size(), 1u);  // trying again would not help
}

TEST_F(Hub, FilesWithoutAUsableEtagAreNamedByTheirContent) {
  hub_.linked_etag = "../../etc/passwd";
  pull_model("org/tiny", options());
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
  EXPECT_TRUE(fs::exists(home() / "blobs" / sha256(hub_.weights())));
}

TEST_F(Hub, TheTokenGoesToTheHubAndNoFurther) {
  hub_.token = "hf_secret";
  EXPECT_NE(failure(options()).advice().find("HF_TOKEN"), std::string::npos);
  HubOptions with_token = options();
  with_token.token = "hf_secret";
  pull_model("org/tiny", with_token);
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
  for (const ServedRequest& request : hub_.requests("GET", "/store/"))
    EXPECT_FALSE(request.headers.contains("authorization"));
  with_token.token = "hf_wrong";
  EXPECT_EQ(failure(with_token).line().find("hf_wrong"), std::string::npos);
}

TEST_F(Hub, UnknownModelsAreNotFound) {
  const Error error = failure(options(), "org/absent");
  EXPECT_NE(error.message().find("404"), std::string::npos);
  hub_.listed().push_back("absent.json");
  EXPECT_NE(failure(options()).place().file.find("absent.json"), std::string::npos);
}

TEST_F(Hub, FaultsThatPassAreTriedAgain) {
  hub_.failures = 3;
  pull_model("org/tiny", options());
  EXPECT_EQ(pulled("model.safetensors"), hub_.weights());
  hub_.failures = 100;
  EXPECT_NE(failure(options()).message().find("503"), std::string::npos);
}

TEST_F(Hub, AHubThatCannotBeReachedIsAnError) {
  HubOptions closed = options();
  closed.endpoint = "http://127.0.0.1:1";
  closed.attempts = 2;
  EXPECT_NE(failure(closed).advice().find("HF_ENDPOINT"), std::string::npos);
  closed.offline = true;
  EXPECT_NE(failure(closed).message().find("HF_HUB_OFFLINE"), std::string::npos);
}

TEST_F(Hub, FileNamesThatLeadElsewhereAreRefused) {
  for (const char* name : {"../evil.json", "a/../../evil.json", "/etc/evil.json", "a//b.json", "a\\\\b.json"}) {
    hub_.listed().push_back(name);
    EXPECT_NE(failure(options()).message().find("outside the model's folder"), std::string::npos) << name;
    hub_.listed().pop_back();
  }
  for (const char* name : {"../x", "a/b/c", "", "org/.."})
    EXPECT_NE(failure(options(), name).message().find("no name of a model"), std::string::npos) << name;
  EXPECT_THROW(pull_model("org/tiny", options(), {}, "../main"), Error);
}

TEST_F(Hub, AModelOfPicklesOnlyIsRefused) {
  hub_.listed() = {"config.json", "pytorch_model.bin"};
  EXPECT_NE(failure(options()).message().find("pickled"), std::string::npos);
}

TEST_F(Hub, AModelThatChangesDuringTheDownloadIsRefused) {
  hub_.served_commit = "ffff";
  EXPECT_NE(failure(options()).message().find("changed"), std::string::npos);
}

TEST_F(Hub, ProgressIsReportedAndCanStopThePull) {
  uint64_t last = 0, total = 0;
  pull_model("org/tiny", options(), [&](const PullProgress& p) {
    EXPECT_LT(p.index, p.files);
    if (p.file == "model.safetensors") last = p.file_done, total = p.file_total;
    return true;
  });
  EXPECT_EQ(last, 300'000u);
  EXPECT_EQ(total, 300'000u);
  fs::remove_all(home());
  EXPECT_THROW(pull_model("org/tiny", options(), [](const PullProgress& p) { return p.file != "model.safetensors"; }),
               Error);
  EXPECT_EQ(leftovers().size(), 1u);
}

TEST(HubOptions, FollowTheEnvironment) {
  test::TempDirectory home;
  home.write("token", " hf_file\n");
  for (const char* name : {"HF_ENDPOINT", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"}) unsetenv(name);
  setenv("HF_HOME", home.path().c_str(), 1);
  EXPECT_EQ(HubOptions::of_system().endpoint, "https://huggingface.co");
  EXPECT_EQ(HubOptions::of_system().token, "hf_file");
  EXPECT_FALSE(HubOptions::of_system().offline);
  setenv("HF_ENDPOINT", "http://mirror:8080/", 1);
  setenv("HF_TOKEN", "hf_env", 1);
  setenv("HF_HUB_OFFLINE", "1", 1);
  EXPECT_EQ(HubOptions::of_system().endpoint, "http://mirror:8080");
  EXPECT_EQ(HubOptions::of_system().token, "hf_env");
  EXPECT_TRUE(HubOptions::of_system().offline);
  for (const char* name : {"HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE", "HF_HOME"}) unsetenv(name);
}

TEST(Sha256, GivesTheKnownDigests) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.update(std::as_bytes(std::span("ab", 2)));
  pieces.update(std::as_bytes(std::span("c", 1)));
  EXPECT_EQ(pieces.finish(), sha256("abc"));
  EXPECT_EQ(pieces.finish(), sha256(""));
}

TEST(IsModelFile, TakesNoPickles) {
  for (const char* yes : {"config.json", "model.safetensors", "merges.txt", "chat_template.jinja", "tokenizer.model"})
    EXPECT_TRUE(is_model_file(yes)) << yes;
  for (const char* no : {"pytorch_model.bin", "model.pt", "x.pth", "x.pkl", "run.py", "README.md", "model.onnx"})
    EXPECT_FALSE(is_model_file(no)) << no;
}

}  // namespace
}  // namespace braid
