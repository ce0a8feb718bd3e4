#include "models/names.h"

#include <gtest/gtest.h>

namespace braid {
namespace {

using Names = std::vector<std::string>;

TEST(Names, NearNamesComeNearestFirst) {
  const Names known{"model.layers.1.self_attn.q_proj.weight", "model.layers.0.self_attn.q_proj.bias", "unrelated"};
  EXPECT_EQ(near_names("model.layers.0.self_attn.q_proj.weight", known), (Names{known[0], known[1]}));
}

TEST(Names, AtMostThreeNearNamesAreGiven) {
  EXPECT_EQ(near_names("layer", Names{"layer1", "layer2", "layer3", "layer4"}).size(), 3u);
}

TEST(Names, NothingIsNearWhenHalfOfTheNameDiffers) {
  EXPECT_TRUE(near_names("abcd", Names{"abxy", "zzzz", ""}).empty());
}

TEST(Names, VeryLongNamesAreNotCompared) {
  const Names known{std::string(50'000'000, 'x')};
  EXPECT_TRUE(near_names("model.norm.weight", known).empty());
}

TEST(Names, StarsStandForAnyCharacters) {
  EXPECT_TRUE(matches("*.position_ids", "bert.embeddings.position_ids"));
  EXPECT_TRUE(matches("h.*.attn.bias", "h.11.attn.bias"));
  EXPECT_TRUE(matches("*pooler.dense.*", "pooler.dense.weight"));
  EXPECT_TRUE(matches("cls.*", "cls."));
  EXPECT_FALSE(matches("*.attn.bias", "h.0.attn.c_attn.bias"));
  EXPECT_FALSE(matches("lm_head.weight", "lm_head.weight.scale"));
  EXPECT_FALSE(matches("cls.*", "xcls.predictions"));
}

TEST(Names, ListsReadAsProse) {
  EXPECT_EQ(join(Names{"a"}), "a");
  EXPECT_EQ(join(Names{"a", "b"}), "a and b");
  EXPECT_EQ(join(Names{"a", "b", "c"}), "a, b and c");
}

}  // namespace
}  // namespace braid
