#include "export/gguf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "files/gguf.h"
#include "support/kit.h"
#include "tasks/gguf_tokenizer.h"
#include "tasks/load.h"

namespace braid {
namespace {

std::string gguf_case(const std::string& name) {
  return (test::kit_path("golden/gguf/" + name).value() / "model.gguf").string();
}

/// Every tensor of `ours` has the bytes that `theirs` has.
void expect_same_tensors(const Checkpoint& ours, const Checkpoint& theirs) {
  EXPECT_EQ(ours.names(), theirs.names());
  for (const std::string& name : theirs.names()) {
    const auto a = ours.find(name);
    if (!a) continue;
    const Tensor b = theirs.at(name);
    ASSERT_EQ(to_string(a->type()), to_string(b.type())) << name;
    EXPECT_EQ(std::memcmp(a->bytes(), b.bytes(), b.byte_size()), 0) << name;
  }
}

class ExportedGguf : public testing::TestWithParam<std::string> {
 protected:
  test::TempDirectory folder_;
};

/// What llama.cpp's converter wrote is read, written and read again: every rearrangement is done and undone.
TEST_P(ExportedGguf, HoldsTheTensorsOfTheConvertersFileAndTheSameConfig) {
  const std::string source = gguf_case(GetParam()), output = (folder_ / "out.gguf").string();
  const Exported result = export_gguf({.model = source, .output = output});
  EXPECT_EQ(result.bytes, std::filesystem::file_size(output));
  const Checkpoint ours = Checkpoint::open(output), theirs = Checkpoint::open(source);
  EXPECT_EQ(result.tensors, theirs.names().size());
  expect_same_tensors(ours, theirs);
  for (const auto& [key, value] : theirs.gguf()->all()) {
    // Titles and sizes for people; all that says something about the model must be there, with the same value.
    if (key.starts_with("general.") && key != "general.architecture") continue;
    if (key.starts_with("tokenizer.")) continue;
    const GgufValue* mine = ours.gguf()->find(key);
    if (mine == nullptr) {
      EXPECT_TRUE(key.ends_with(".vocab_size") || key.ends_with("pooling_type") || key.ends_with("token_type_count") ||
                  key.ends_with("value_length") || key.ends_with("rope.scaling.type") || key.ends_with("freq_base_swa"))
          << key << " is missing";
      continue;
    }
    EXPECT_TRUE(std::ranges::equal(mine->bytes, value.bytes)) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, ExportedGguf,
                         testing::Values("llama", "llama-biases", "llama-yarn", "mixtral", "qwen2", "qwen3", "gemma",
                                         "gemma2", "gemma3", "phi3", "phi3-long", "gpt2"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(GgufExport, OfASafetensorsModelKeepsItsTokensAndItsText) {
  const test::TempDirectory folder;
  const std::string output = (folder / "books.gguf").string();
  const std::string source = test::kit_path("models/books-4m").value().string();
  const Exported result = export_gguf({.model = source, .output = output, .weights = Format::q8_0});
  EXPECT_TRUE(result.notes.empty()) << result.notes.front();
  const LoadedModel model = load_model({.model = output, .device = "cpu"}),
                    books = load_model({.model = source, .device = "cpu"});
  EXPECT_EQ(model.program->model().architecture, books.program->model().architecture);
  EXPECT_EQ(model.generation.eos_token_ids, books.generation.eos_token_ids);
  ASSERT_NE(model.tokenizer, nullptr);
  for (const char* text :
       {"Hello there", "It was a bright cold day in April,", "  two  spaces 123\n\n", "naïve café 🦙"}) {
    EXPECT_EQ(model.tokenizer->encode(text).ids, books.tokenizer->encode(text).ids) << text;
    EXPECT_EQ(model.tokenizer->decode(books.tokenizer->encode(text).ids),
              books.tokenizer->decode(books.tokenizer->encode(text).ids));
  }
  EXPECT_EQ(model.checkpoint->at("blk.0.ffn_up.weight").format, Format::q8_0);
  EXPECT_EQ(model.checkpoint->at("output_norm.weight").format, Format::f32);
}

TEST(GgufExport, WhatGgufCannotSayIsRefusedAndLeavesNoFile) {
  const test::TempDirectory folder;
  const std::string output = (folder / "m.gguf").string();
  const auto refused = [&](const std::string& path) {
    const auto source = test::kit_path(path);
    if (!source) return std::string();
    try {
      export_gguf({.model = source->string(), .output = output});
    } catch (const Error& error) {
      return error.line();
    }
    return std::string("written");
  };
  EXPECT_NE(refused("golden/text/mamba").find("known:"), std::string::npos);
  // Its queries are scaled by 24, its heads have 16 dimensions: a file would scale by 16.
  if (const std::string message = refused("golden/text/gemma2"); !message.empty()) {
    EXPECT_NE(message.find("cannot say"), std::string::npos) << message;
  }
  EXPECT_FALSE(std::filesystem::exists(output));
}

TEST(GgufExport, StopsWhenItIsToldTo) {
  const test::TempDirectory folder;
  const std::string output = (folder / "m.gguf").string();
  int asked = 0;
  EXPECT_THROW(
      export_gguf(
          {.model = gguf_case("llama"), .output = output, .progress = [&](uint64_t, uint64_t) { return ++asked < 2; }}),
      Error);
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace braid
