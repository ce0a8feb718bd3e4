// The parts of a model that was split (llama-gguf-split): "NAME-00001-of-00003.gguf", with split.no, split.count and
// split.tensors.count in the metadata of each.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "files/gguf.h"

namespace braid {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNumber = "split.no", kCount = "split.count", kTensors = "split.tensors.count";
constexpr int64_t kMaxParts = 9'999;

struct Part {
  std::shared_ptr<FileMap> map;
  GgufHeader header;
};

Part open_part(const std::string& path, const Limits& limits) {
  const std::shared_ptr<FileMap> map = FileMap::open(path);
  GgufHeader header = GgufHeader::parse(map->bytes(), path, map, limits);
  map->check();
  return {map, std::move(header)};
}

int64_t parts_of(const GgufMetadata& metadata) {
  const int64_t count = metadata.integer(kCount).value_or(1);
  if (count < 0 || count > kMaxParts) metadata.fail(kCount, std::to_string(count) + " parts are out of range");
  return std::max<int64_t>(count, 1);
}

/// "-00002-of-00003.gguf"
std::string ending(int64_t number, int64_t count) {
  char text[48];
  std::snprintf(text, sizeof text, "-%05d-of-%05d.gguf", static_cast<int>(number), static_cast<int>(count));
  return text;
}

/// The paths of all parts, from that of one of them.
std::vector<std::string> paths_of(const std::string& path, const GgufMetadata& metadata, int64_t count) {
  const int64_t number = metadata.need_integer(kNumber);
  if (number < 0 || number >= count)
    metadata.fail(kNumber, "part " + std::to_string(number) + " of " + std::to_string(count) + " is out of range");
  const std::string own = ending(number + 1, count);
  if (!path.ends_with(own))
    metadata.fail(kNumber, "the file is a part of a split model, but its name does not end in " + own,
                  "give the parts the names that they were made with");
  std::vector<std::string> paths;
  for (int64_t i = 0; i < count; ++i) paths.push_back(path.substr(0, path.size() - own.size()) + ending(i + 1, count));
  return paths;
}

void check_part(const GgufMetadata& metadata, int64_t number, int64_t count) {
  if (metadata.need_integer(kCount) != count)
    metadata.fail(kCount,
                  "the part says that there are " + std::to_string(metadata.need_integer(kCount)) +
                      " parts, another one says " + std::to_string(count),
                  "the parts belong to different models");
  if (metadata.need_integer(kNumber) != number)
    metadata.fail(kNumber,
                  "the part says that it is number " + std::to_string(metadata.need_integer(kNumber)) +
                      ", its name says " + std::to_string(number),
                  "the parts were renamed");
}

}  // namespace

GgufModel GgufModel::open(const std::string& path, bool weights, const Limits& limits) {
  Part first = open_part(path, limits);
  const int64_t count = parts_of(first.header.metadata);
  std::vector<Part> parts;
  if (count == 1) {
    parts.push_back(std::move(first));
  } else {
    for (const std::string& part : paths_of(path, first.header.metadata, count)) {
      if (!fs::exists(part))
        throw Error("a part of the split model is missing", {.file = part, .field = std::string(kCount), .offset = {}},
                    "all " + std::to_string(count) + " parts must lie in one folder");
      parts.push_back(open_part(part, limits));
      check_part(parts.back().header.metadata, static_cast<int64_t>(parts.size()) - 1, count);
    }
  }
  GgufModel model;
  std::set<std::string> names;
  for (Part& part : parts) {
    const GgufHeader& header = part.header;
    if (weights && !header.others.empty())
      throw Error("the tensor is " + std::string(header.others.front().second) + ", a format that Braid does not read",
                  {.file = part.map->path(), .field = header.others.front().first, .offset = {}},
                  "F32 F16 BF16 Q8_0 and Q4_0 are read");
    for (const TensorEntry& entry : header.entries)
      if (!names.insert(entry.name).second)
        throw Error("the tensor is in two parts",
                    {.file = part.map->path(), .field = entry.name, .offset = entry.offset});
  }
  const GgufMetadata& metadata = parts.front().header.metadata;
  if (const auto total = metadata.integer(kTensors);
      weights && count > 1 && total && *total != static_cast<int64_t>(names.size()))
    metadata.fail(kTensors,
                  "the parts hold " + std::to_string(names.size()) + " tensors, not " + std::to_string(*total),
                  "the parts belong to different models");
  for (Part& part : parts) {
    if (&part == &parts.front())
      model.metadata_ = std::make_shared<const GgufMetadata>(std::move(part.header.metadata));
    model.files_.emplace_back(part.map, std::move(part.header.entries));
  }
  return model;
}

}  // namespace braid
