#include "core/file_map.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <numeric>
#include <thread>
#include <vector>

#include "core/error.h"
#include "support/kit.h"

namespace braid {
namespace {

const size_t kPage = static_cast<size_t>(sysconf(_SC_PAGESIZE));

uint64_t sum(std::span<const std::byte> bytes) {
  uint64_t total = 0;
  for (std::byte b : bytes) total += std::to_integer<uint64_t>(b);
  return total;
}

std::string message_of(const std::string& path) {
  try {
    FileMap::open(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.place().file, path);
    return error.message();
  }
  return {};
}

TEST(FileMap, GivesTheBytesOfTheFile) {
  test::TempDirectory folder;
  const std::string content = "twelve bytes";
  const auto map = FileMap::open(folder.write("f", content));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(map->bytes().data()), map->bytes().size()), content);
  EXPECT_EQ(map->path(), folder / "f");
  EXPECT_FALSE(map->failed());
  EXPECT_NO_THROW(map->check());
}

TEST(FileMap, AnEmptyFileHasNoBytes) {
  test::TempDirectory folder;
  EXPECT_TRUE(FileMap::open(folder.write("f", ""))->bytes().empty());
}

TEST(FileMap, WhatIsNoRegularFileIsRefused) {
  test::TempDirectory folder;
  EXPECT_NE(message_of(folder / "absent").find("No such file"), std::string::npos);
  EXPECT_NE(message_of(folder.path().string()).find("found a folder"), std::string::npos);
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_NE(message_of(folder / "pipe").find("regular file"), std::string::npos);
}

TEST(FileMap, WideLoadsMayCrossTheEndOfTheFile) {
  test::TempDirectory folder;
  const auto map = FileMap::open(folder.write("f", std::string(2 * kPage, 'x')));
  EXPECT_EQ(sum({map->bytes().data() + 2 * kPage, 64}), 0u);
  EXPECT_FALSE(map->failed());
}

TEST(FileMap, AFileTruncatedWhileMappedReadsAsZerosAndSaysWhere) {
  test::TempDirectory folder;
  const std::string path = folder.write("f", std::string(8 * kPage, '\1'));
  const auto map = FileMap::open(path);
  ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(3 * kPage)), 0);
  EXPECT_EQ(sum(map->bytes().first(3 * kPage)), 3 * kPage);
  EXPECT_FALSE(map->failed());
  EXPECT_EQ(sum(map->bytes().subspan(5 * kPage, 10)), 0u);
  EXPECT_EQ(map->failed(), 5 * kPage);
  EXPECT_EQ(sum(map->bytes()), 3 * kPage);
  EXPECT_EQ(map->failed(), 3 * kPage);
  try {
    map->check();
    FAIL() << "check() accepted a truncated file";
  } catch (const Error& error) {
    EXPECT_EQ(error.place().file, path);
    EXPECT_EQ(error.place().offset, 3 * kPage);
  }
}

TEST(FileMap, OnlyTheTruncatedMapFails) {
  test::TempDirectory folder;
  const std::string content(4 * kPage, '\1');
  const auto sound = FileMap::open(folder.write("sound", content));
  const auto cut = FileMap::open(folder.write("cut", content));
  ASSERT_EQ(truncate(cut->path().c_str(), 0), 0);
  EXPECT_EQ(sum(sound->bytes()), 4 * kPage);
  EXPECT_EQ(sum(cut->bytes()), 0u);
  EXPECT_EQ(cut->failed(), 0u);
  EXPECT_FALSE(sound->failed());
}

TEST(FileMap, ManyThreadsMayMeetTheSameTruncation) {
  test::TempDirectory folder;
  constexpr size_t kPages = 64;
  const auto map = FileMap::open(folder.write("f", std::string(kPages * kPage, '\1')));
  ASSERT_EQ(truncate(map->path().c_str(), static_cast<off_t>(kPage)), 0);
  std::vector<uint64_t> sums(4);
  std::vector<std::thread> readers;
  for (uint64_t& total : sums) readers.emplace_back([&] { total = sum(map->bytes()); });
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(sums, std::vector<uint64_t>(4, kPage));
  EXPECT_EQ(map->failed(), kPage);
}

TEST(FileMap, MapsAreReusableAfterOthersAreGone) {
  test::TempDirectory folder;
  const std::string path = folder.write("f", std::string(kPage, '\1'));
  for (int i = 0; i < 50; ++i) {
    std::vector<std::shared_ptr<FileMap>> maps;
    for (int j = 0; j < 5; ++j) maps.push_back(FileMap::open(path));
    for (const auto& map : maps) ASSERT_EQ(sum(map->bytes()), kPage);
  }
  const auto map = FileMap::open(path);
  ASSERT_EQ(truncate(path.c_str(), 0), 0);
  EXPECT_EQ(sum(map->bytes()), 0u);
  EXPECT_EQ(map->failed(), 0u);
}

/// Killed by the signal, or ended by a sanitizer that reports it: anything but having read on.
bool ended_by_the_fault(int status) {
  return !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3);
}

TEST(FileMapDeathTest, AForeignFaultStillEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  test::TempDirectory folder;
  const std::string path = folder.write("f", std::string(2 * kPage, '\1'));
  const auto ours = FileMap::open(path);  // installs the handler
  EXPECT_EXIT(
      {
        FILE* file = fopen(path.c_str(), "r+");
        auto* data = static_cast<volatile char*>(mmap(nullptr, 2 * kPage, PROT_READ, MAP_SHARED, fileno(file), 0));
        if (truncate(path.c_str(), 0) != 0) _exit(3);
        _exit(data[kPage]);
      },
      ended_by_the_fault, "");
}

TEST(FileMap, ReleasedPagesReadTheSameAgain) {
  test::TempDirectory folder;
  const auto map = FileMap::open(folder.write("f", std::string(5 * kPage + 7, '\1')));
  EXPECT_EQ(sum(map->bytes()), 5 * kPage + 7);
  map->release(100, UINT64_MAX);
  map->release(UINT64_MAX, 1);
  map->prefetch(kPage + 3, UINT64_MAX);
  map->prefetch(UINT64_MAX, 1);
  EXPECT_EQ(sum(map->bytes()), 5 * kPage + 7);
}

TEST(ReadTextFile, ReadsUpToALimit) {
  test::TempDirectory folder;
  const std::string path = folder.write("f", "0123456789");
  EXPECT_EQ(read_text_file(path, 10), "0123456789");
  EXPECT_THROW(read_text_file(path, 9), Error);
  EXPECT_THROW(read_text_file(folder / "absent", 9), Error);
  EXPECT_THROW(read_text_file(folder.path().string(), 9), Error);
}

}  // namespace
}  // namespace braid
