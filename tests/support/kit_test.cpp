#include "support/kit.h"

#include <gtest/gtest.h>
#include <stdlib.h>  // setenv is POSIX

#include <algorithm>

namespace braid::test {
namespace fs = std::filesystem;
namespace {

/// Sets an environment variable for as long as it lives.
class ScopedEnvironment {
 public:
  ScopedEnvironment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    setenv(name, value.c_str(), 1);
  }
  ~ScopedEnvironment() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(Kit, HoldsTheEmbeddedModelAndTheGoldenFamilies) {
  EXPECT_TRUE(kit_path("models/books-4m/model.safetensors"));
  for (const char* name : {"text/llama-gqa", "text/gpt2", "text/bert", "text/mixtral", "text/mamba",
                           "media/resnet-basic", "media/whisper"}) {
    EXPECT_TRUE(kit_path(std::string("golden/") + name + "/golden.safetensors")) << name;
  }
}

TEST(Kit, PrefersTheFolderOfTheEnvironmentAndFallsBackToTheTree) {
  TempDirectory outside;
  write_file(outside / "golden/text/llama-gqa/golden.json", "{}");
  const ScopedEnvironment kit("BRAID_KIT", outside.path().string());
  EXPECT_EQ(kit_path("golden/text/llama-gqa"), outside / "golden/text/llama-gqa");
  ASSERT_TRUE(kit_path("golden/text/gpt2"));
  EXPECT_NE(kit_path("golden/text/gpt2"), outside / "golden/text/gpt2");
}

TEST(Kit, SaysNothingForWhatNoPlaceHolds) {
  EXPECT_FALSE(kit_path("golden/text/no-such-case"));
  EXPECT_NE(kit_missing("golden/text/no-such-case").find("golden/text/no-such-case"), std::string::npos);
}

TEST(Kit, NamesTheEntriesOfEveryPlaceOnceAndSorted) {
  TempDirectory outside;
  write_file(outside / "golden/text/llama-gqa/golden.json", "{}");
  write_file(outside / "golden/text/a-case-of-its-own/golden.json", "{}");
  const ScopedEnvironment kit("BRAID_KIT", outside.path().string());
  const auto names = kit_names("golden/text");
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_EQ(std::ranges::count(names, "llama-gqa"), 1);
  EXPECT_EQ(std::ranges::count(names, "a-case-of-its-own"), 1);
}

TEST(TempDirectory, KeepsBytesAndLeavesNothingBehind) {
  fs::path where;
  {
    TempDirectory folder;
    where = folder.path();
    const std::string bytes("a\0\r\n\xff", 5);
    write_file(folder / "deep/er/file", bytes);
    EXPECT_EQ(read_file(folder / "deep/er/file"), bytes);
  }
  EXPECT_FALSE(fs::exists(where));
  EXPECT_THROW(read_file(where / "file"), std::runtime_error);
}

}  // namespace
}  // namespace braid::test
