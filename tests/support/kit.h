#pragma once
// The kit: models, golden checkpoints, tokenizers and texts that tests compare with. The tree holds a part of it
// (tests/kit and models/); the environment variable BRAID_KIT may name a folder of the same layout that holds more.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace braid::test {

/// A file or folder of the kit, by its path inside it: "golden/text/llama-gqa", "models/books-4m",
/// "data/eval/NAME.txt". Looks below $BRAID_KIT, then tests/kit, then the source tree itself. Nothing when none of them
/// has it; a test then skips:
///   const auto folder = kit_path("models/books-27m");
///   if (!folder) GTEST_SKIP() << kit_missing("models/books-27m");
std::optional<std::filesystem::path> kit_path(std::string_view relative);

/// Why a test skips: names the missing path and how to provide it.
std::string kit_missing(std::string_view relative);

/// The names of the entries of a kit folder, from every place that has it, each once, sorted: kit_names("golden/text").
std::vector<std::string> kit_names(std::string_view relative);

/// The whole content of a file, in bytes. Throws std::runtime_error that names the path.
std::string read_file(const std::filesystem::path& path);

/// Writes a file, making the folders above it. Throws std::runtime_error that names the path.
void write_file(const std::filesystem::path& path, std::string_view content);

/// A fresh folder that only this object knows; it is removed with everything in it when the object goes.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  /// Writes a file below the folder, making the folders above it; its path.
  std::filesystem::path write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace braid::test
