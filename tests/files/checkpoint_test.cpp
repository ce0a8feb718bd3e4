#include "files/checkpoint.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "files/safetensors_builder.h"
#include "support/kit.h"

namespace braid {
namespace {

namespace fs = std::filesystem;
using test::raw_safetensors;
using test::tensor_json;

std::string one_tensor(const std::string& name, float value) {
  std::string file = raw_safetensors("{" + tensor_json(name, "F32", "[1]", 0, 4) + "}", 0);
  return file.append(reinterpret_cast<const char*>(&value), 4);
}

Error failure(const std::string& path) {
  try {
    Checkpoint::open(path);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "accepted: " << path;
  return Error("");
}

/// A folder with an index over two shards.
class Sharded : public testing::Test {
 protected:
  Sharded() {
    folder_.write("model-1.safetensors", one_tensor("a", 1));
    folder_.write("model-2.safetensors", one_tensor("b", 2));
    index(R"("a":"model-1.safetensors","b":"model-2.safetensors")");
  }
  void index(const std::string& weights) {
    folder_.write("model.safetensors.index.json", "{\"metadata\":{\"total_size\":8},\"weight_map\":{" + weights + "}}");
  }
  Error index_failure(const std::string& weights) {
    index(weights);
    const Error error = failure(folder_.path().string());
    EXPECT_EQ(error.place().file, folder_ / "model.safetensors.index.json") << error.line();
    EXPECT_TRUE(error.place().offset.has_value()) << error.line();
    return error;
  }
  test::TempDirectory folder_;
};

TEST(Checkpoint, OpensASingleFileOfAFolderOrByItsName) {
  test::TempDirectory folder;
  const std::string file = folder.write("model.safetensors", one_tensor("w", 3));
  for (const std::string& path : {folder.path().string(), file}) {
    const Checkpoint checkpoint = Checkpoint::open(path);
    EXPECT_EQ(checkpoint.path(), path);
    EXPECT_EQ(checkpoint.names(), std::vector<std::string>{"w"});
    EXPECT_EQ(*checkpoint.at("w").data<float>(), 3);
    EXPECT_EQ(checkpoint.file_of("w"), file);
    EXPECT_EQ(checkpoint.data_bytes(), 4u);
    EXPECT_FALSE(checkpoint.find("v").has_value());
    EXPECT_THROW(checkpoint.at("v"), Error);
  }
}

TEST(Checkpoint, TensorsOutliveTheCheckpoint) {
  test::TempDirectory folder;
  const std::string file = folder.write("model.safetensors", one_tensor("w", 3));
  const Tensor tensor = Checkpoint::open(file).at("w");
  EXPECT_EQ(*tensor.data<float>(), 3);
}

TEST(Checkpoint, MovingKeepsEveryTensorFindable) {
  test::TempDirectory folder;
  Checkpoint first = Checkpoint::open(folder.write("model.safetensors", one_tensor("w", 3)));
  const Checkpoint second = std::move(first);
  EXPECT_EQ(*second.at("w").data<float>(), 3);
}

TEST_F(Sharded, OpensAllShards) {
  const Checkpoint checkpoint = Checkpoint::open(folder_.path().string());
  EXPECT_EQ(checkpoint.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(*checkpoint.at("a").data<float>(), 1);
  EXPECT_EQ(*checkpoint.at("b").data<float>(), 2);
  EXPECT_EQ(checkpoint.files().size(), 2u);
  EXPECT_NO_THROW(checkpoint.check());
}

TEST_F(Sharded, Case11ShardsOutsideTheFolderAreRefused) {
  test::TempDirectory outside;
  const std::string elsewhere = outside.write("x.safetensors", one_tensor("a", 1));
  const std::string up = "../" + outside.path().filename().string() + "/x.safetensors";
  const Error traversal = index_failure("\"a\":\"" + up + "\"");
  EXPECT_NE(traversal.message().find("leads out"), std::string::npos) << traversal.line();
  EXPECT_EQ(traversal.place().field, "weight_map.a");
  EXPECT_EQ(traversal.place().offset, std::string(R"({"metadata":{"total_size":8},"weight_map":{"a":)").size());
  EXPECT_NE(index_failure(R"("a":"sub/../model-1.safetensors")").message().find("leads out"), std::string::npos);
  EXPECT_NE(index_failure("\"a\":\"" + elsewhere + "\"").message().find("absolute"), std::string::npos);
  fs::create_symlink(elsewhere, folder_ / "link.safetensors");
  EXPECT_NE(index_failure(R"("a":"link.safetensors")").message().find("link that leads out"), std::string::npos);
  fs::create_directory_symlink(outside.path(), folder_ / "linked");
  EXPECT_NE(index_failure(R"("a":"linked/x.safetensors")").message().find("link that leads out"), std::string::npos);
}

TEST_F(Sharded, Case11MissingAndDisagreeingShardsAreRefused) {
  const Error missing = index_failure(R"("a":"model-1.safetensors","b":"model-3.safetensors")");
  EXPECT_NE(missing.message().find("model-3.safetensors is missing"), std::string::npos);
  EXPECT_EQ(missing.place().field, "weight_map.b");
  EXPECT_NE(
      index_failure(R"("a":"model-2.safetensors","b":"model-2.safetensors")").message().find("has no tensor \"a\""),
      std::string::npos);
  EXPECT_NE(
      index_failure(R"("a":"model-2.safetensors","b":"model-1.safetensors")").message().find("has no tensor \"a\""),
      std::string::npos);
  EXPECT_NE(index_failure(R"("a":7)").message().find("expected a string"), std::string::npos);
  EXPECT_NE(index_failure(R"("a":"pytorch_model.bin")").message().find("no .safetensors file"), std::string::npos);
  EXPECT_NE(index_failure("").message().find("names no tensor"), std::string::npos);
}

TEST_F(Sharded, ATensorInTwoShardsIsRefused) {
  folder_.write("model-2.safetensors", one_tensor("a", 2));
  const Error error = failure(folder_.path().string());
  EXPECT_EQ(error.place().field, "a");
  EXPECT_NE(error.message().find("two shards"), std::string::npos);
}

TEST_F(Sharded, LinksInsideTheFolderAreFollowed) {
  fs::rename(folder_ / "model-1.safetensors", folder_ / "kept.safetensors");
  fs::create_symlink("kept.safetensors", folder_ / "model-1.safetensors");
  EXPECT_EQ(*Checkpoint::open(folder_.path().string()).at("a").data<float>(), 1);
}

TEST(Checkpoint, ASnapshotOfTheHubCacheLinksToItsBlobs) {
  test::TempDirectory cache;
  const std::string model = "models--org--name/", other = "models--org--other/";
  cache.write(model + "blobs/1234", one_tensor("a", 1));
  cache.write(other + "blobs/5678", one_tensor("a", 1));
  const std::string snapshot = model + "snapshots/abc/";
  cache.write(snapshot + "model.safetensors.index.json", R"({"weight_map":{"a":"m.safetensors"}})");
  fs::create_symlink("../../blobs/1234", cache / (snapshot + "m.safetensors"));
  EXPECT_EQ(*Checkpoint::open(cache / snapshot).at("a").data<float>(), 1);
  fs::remove(cache / (snapshot + "m.safetensors"));
  fs::create_symlink("../../../" + other + "blobs/5678", cache / (snapshot + "m.safetensors"));
  EXPECT_NE(failure(cache / snapshot).message().find("link that leads out"), std::string::npos);
}

TEST(Checkpoint, Case29PickledWeightsAreNeverOpened) {
  for (const char* name :
       {"pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "consolidated.00.pth", "model.pt", "model.ckpt"}) {
    test::TempDirectory folder;
    folder.write("config.json", "{}");
    folder.write(name, "\x80\x04");
    fs::permissions(folder / name, fs::perms::none);  // opening it would fail
    const Error error = failure(folder.path().string());
    EXPECT_NE(error.message().find("pickled weights only"), std::string::npos) << error.line();
    EXPECT_EQ(error.place().file, folder / name);
    EXPECT_NE(error.advice().find("safetensors"), std::string::npos);
  }
}

TEST(Checkpoint, AFolderWithoutWeightsIsRefused) {
  test::TempDirectory folder;
  EXPECT_NE(failure(folder.path().string()).message().find("no weights"), std::string::npos);
  EXPECT_NE(failure(folder / "absent").message().find("No such file"), std::string::npos);
}

TEST(Checkpoint, ReadsTheGoldenCheckpoints) {
  size_t opened = 0;
  for (const std::string group : {"golden/text/", "golden/media/"}) {
    for (const std::string& name : test::kit_names(group)) {
      const fs::path folder = *test::kit_path(group + name);
      if (!fs::exists(folder / "model.safetensors") && !fs::exists(folder / "model.safetensors.index.json")) continue;
      const Checkpoint checkpoint = Checkpoint::open(folder.string());
      EXPECT_FALSE(checkpoint.names().empty()) << folder;
      for (const std::string& tensor : checkpoint.names())
        ASSERT_EQ(checkpoint.at(tensor).byte_size(), checkpoint.entry(tensor)->bytes);
      ++opened;
    }
  }
  if (opened == 0) GTEST_SKIP() << test::kit_missing("golden");
}

}  // namespace
}  // namespace braid
