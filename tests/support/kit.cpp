#include "support/kit.h"

#include <stdlib.h>  // mkdtemp is POSIX

#include <cerrno>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <system_error>

namespace braid::test {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> roots() {
  std::vector<fs::path> result;
  if (const char* outside = std::getenv("BRAID_KIT"); outside != nullptr && *outside != '\0')
    result.emplace_back(outside);
  const fs::path source = BRAID_SOURCE_DIR;
  result.push_back(source / "tests" / "kit");
  result.push_back(source);
  return result;
}

}  // namespace

std::optional<fs::path> kit_path(std::string_view relative) {
  for (const fs::path& root : roots()) {
    std::error_code ignored;
    if (fs::path path = root / relative; fs::exists(path, ignored)) return path;
  }
  return std::nullopt;
}

std::string kit_missing(std::string_view relative) {
  return "no " + std::string(relative) + " in tests/kit; set BRAID_KIT to a kit that has it";
}

std::vector<std::string> kit_names(std::string_view relative) {
  std::set<std::string> names;
  for (const fs::path& root : roots()) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(root / relative, ignored))
      names.insert(entry.path().filename().string());
  }
  return {names.begin(), names.end()};
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const fs::path& path, std::string_view content) {
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

TempDirectory::TempDirectory() {
  std::string name = (fs::temp_directory_path() / "braid-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
  path_ = name;
}

fs::path TempDirectory::write(std::string_view name, std::string_view content) const {
  write_file(path_ / name, content);
  return path_ / name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;  // a destructor has nobody to tell
  fs::remove_all(path_, ignored);
}

}  // namespace braid::test
