#include "files/model_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "core/error.h"
#include "support/kit.h"

namespace braid {
namespace {

namespace fs = std::filesystem;

class ModelNames : public testing::Test {
 protected:
  ModelNames() {
    root_.write("embedded/books-4m/config.json", "{}");
    const std::string model = "hub/models--org--tiny-Llama/";
    root_.write(model + "refs/main", "abc123\n");
    root_.write(model + "snapshots/abc123/config.json", "{}");
    root_.write(model + "snapshots/older/config.json", "{}");
    root_.write("hub/models--gpt2/snapshots/only/config.json", "{}");
    root_.write("hub/models--org--unclear/snapshots/one/config.json", "{}");
    root_.write("hub/models--org--unclear/snapshots/two/config.json", "{}");
    places_ = {root_ / "hub", {root_ / "absent", root_ / "embedded"}};
  }
  Error failure(const std::string& name) const {
    try {
      resolve_model(name, places_);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "found: " << name;
    return Error("");
  }
  test::TempDirectory root_;
  ModelPlaces places_;
};

TEST_F(ModelNames, APathIsTakenAsItIs) {
  const std::string folder = root_ / "embedded/books-4m";
  const ModelFolder model = resolve_model(folder, places_);
  EXPECT_EQ(model.folder, folder);
  EXPECT_EQ(model.file, "");
  EXPECT_TRUE(model.has("config.json"));
  EXPECT_FALSE(model.has("tokenizer.json"));
  EXPECT_EQ(model.path_of("config.json"), folder + "/config.json");
}

TEST_F(ModelNames, AFileStandsForItsFolder) {
  const ModelFolder model = resolve_model(root_ / "embedded/books-4m/config.json", places_);
  EXPECT_EQ(model.folder, root_ / "embedded/books-4m");
  EXPECT_EQ(model.file, root_ / "embedded/books-4m/config.json");
}

TEST_F(ModelNames, EmbeddedModelsAreFoundByName) {
  EXPECT_EQ(resolve_model("books-4m", places_).folder, root_ / "embedded/books-4m");
}

TEST_F(ModelNames, HubNamesLeadToTheSnapshotOfMain) {
  const ModelFolder model = resolve_model("org/tiny-Llama", places_);
  EXPECT_EQ(model.folder, root_ / "hub/models--org--tiny-Llama/snapshots/abc123");
  EXPECT_EQ(model.name, "org/tiny-Llama");
  EXPECT_EQ(resolve_model("gpt2", places_).folder, root_ / "hub/models--gpt2/snapshots/only");
}

TEST_F(ModelNames, AReferenceThatLeadsElsewhereIsNotFollowed) {
  root_.write("hub/models--org--tiny-Llama/refs/main", "../../../embedded/books-4m");
  EXPECT_NE(failure("org/tiny-Llama").message().find("no model"), std::string::npos);
  failure("org/unclear");
}

TEST_F(ModelNames, UnknownNamesListWhatWasTriedAndWhatIsNear) {
  const Error error = failure("books-5m");
  EXPECT_EQ(error.place().file, "books-5m");
  EXPECT_NE(error.advice().find(root_ / "embedded/books-5m"), std::string::npos) << error.line();
  EXPECT_NE(error.advice().find("did you mean books-4m?"), std::string::npos) << error.line();
  EXPECT_NE(failure("org/tiny-lama").advice().find("org/tiny-Llama"), std::string::npos);
  EXPECT_NE(failure("tiny").advice().find("org/tiny-Llama"), std::string::npos);
  const Error remote = failure("someone/something-else-entirely");
  EXPECT_NE(remote.advice().find("braid pull someone/something-else-entirely"), std::string::npos) << remote.line();
  EXPECT_NE(remote.advice().find("models--someone--something-else-entirely"), std::string::npos);
}

TEST_F(ModelNames, NamesThatAreNoNamesAreRefused) {
  for (const char* name : {"", "../absent", "a/b/c", "-x", "a..b", "/absent/path", "a--b/c"}) failure(name);
}

TEST_F(ModelNames, AGgufFileIsAFileThatWasNamed) {
  const std::string path = root_.write("m.gguf", "GGUF").string();
  EXPECT_EQ(resolve_model(path, places_).file, path);
}

TEST_F(ModelNames, LocalModelsAreListed) {
  const std::vector<LocalModel> models = local_models(places_);
  ASSERT_EQ(models.size(), 3u);
  EXPECT_EQ(models[0].name, "books-4m");
  EXPECT_EQ(models[0].bytes, 2u);
  EXPECT_EQ(models[1].name, "gpt2");
  EXPECT_EQ(models[2].name, "org/tiny-Llama");
  EXPECT_EQ(models[2].revision, "abc123");
  EXPECT_TRUE(local_models({root_ / "nowhere", {}}).empty());
}

TEST(HubFolderName, FollowsTheHubsRules) {
  EXPECT_EQ(hub_folder_name("org/Name-1.5_b"), "models--org--Name-1.5_b");
  EXPECT_EQ(hub_folder_name("gpt2"), "models--gpt2");
  for (const char* bad : {"", "/", "a/", "/a", "a/b/c", "..", "a/..", ".a/b", "a-/b", "a b/c", "a--b", "ä/b"})
    EXPECT_FALSE(hub_folder_name(bad)) << bad;
  EXPECT_FALSE(hub_folder_name(std::string(97, 'a')));
}

class Environment {
 public:
  void set(const char* name, const char* value) {
    const char* old = std::getenv(name);
    saved_.emplace_back(name, old ? std::optional<std::string>(old) : std::nullopt);
    if (value)
      setenv(name, value, 1);
    else
      unsetenv(name);
  }
  ~Environment() {
    for (auto it = saved_.rbegin(); it != saved_.rend(); ++it)
      if (it->second)
        setenv(it->first.c_str(), it->second->c_str(), 1);
      else
        unsetenv(it->first.c_str());
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> saved_;
};

TEST(ModelPlaces, FollowTheEnvironmentOfTheHub) {
  Environment environment;
  for (const char* name : {"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"}) environment.set(name, nullptr);
  environment.set("HOME", "/h");
  EXPECT_EQ(ModelPlaces::of_system().hub_cache, "/h/.cache/huggingface/hub");
  environment.set("XDG_CACHE_HOME", "/x");
  EXPECT_EQ(ModelPlaces::of_system().hub_cache, "/x/huggingface/hub");
  environment.set("HF_HOME", "/hf");
  EXPECT_EQ(ModelPlaces::of_system().hub_cache, "/hf/hub");
  environment.set("HF_HUB_CACHE", "/cache");
  EXPECT_EQ(ModelPlaces::of_system().hub_cache, "/cache");
  EXPECT_EQ(ModelPlaces::of_system().embedded.size(), 4u);
}

}  // namespace
}  // namespace braid
