#include "tasks/forward.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace braid {
namespace {

Tensor ids(std::vector<int64_t> shape, const std::vector<int32_t>& values) {
  return Tensor::of(std::move(shape), std::span<const int32_t>(values));
}

Tensor long_ids(std::vector<int64_t> shape, const std::vector<int64_t>& values) {
  Tensor t = Tensor::make(std::move(shape), Format::i64);
  std::ranges::copy(values, t.data<int64_t>());
  return t;
}

TEST(ForwardInputs, KeepTheTokensWhoseMaskIsOneAndTheirColumnsAsPositions) {
  const NamedTensor tensors[] = {{"in.input_ids", ids({2, 4}, {0, 0, 7, 8, 1, 2, 3, 4})},
                                 {"in.attention_mask", ids({2, 4}, {0, 0, 1, 1, 1, 1, 1, 0})},
                                 {"out.logits", Tensor::make({2, 4, 9}, Format::f32)}};
  const ForwardInputs in = ForwardInputs::from(tensors);
  EXPECT_EQ(in.batch, 2);
  EXPECT_EQ(in.columns, 4);
  EXPECT_EQ(in.token_ids, (std::vector<int32_t>{7, 8, 1, 2, 3}));
  EXPECT_EQ(in.positions, (std::vector<int32_t>{2, 3, 0, 1, 2}));
  EXPECT_EQ(in.token_type_ids, (std::vector<int32_t>{0, 0, 0, 0, 0}));
  EXPECT_EQ(in.span_start, (std::vector<int32_t>{0, 2, 5}));
  EXPECT_EQ(in.place, (std::vector<int64_t>{2, 3, 4, 5, 6}));
  EXPECT_EQ(in.longest(), 3);
}

TEST(ForwardInputs, TakePositionsAndSegmentsWhereTheyAreGiven) {
  const NamedTensor tensors[] = {{"input_ids", long_ids({2, 3}, {1, 2, 3, 4, 5, 6})},
                                 {"position_ids", long_ids({1, 3}, {5, 6, 7})},
                                 {"token_type_ids", long_ids({2, 3}, {0, 0, 1, 0, 1, 1})}};
  const ForwardInputs in = ForwardInputs::from(tensors);
  EXPECT_EQ(in.positions, (std::vector<int32_t>{5, 6, 7, 5, 6, 7}));
  EXPECT_EQ(in.token_type_ids, (std::vector<int32_t>{0, 0, 1, 0, 1, 1}));
}

TEST(ForwardInputs, TakeDecoderTokensTogetherWithFeatures) {
  const NamedTensor tensors[] = {{"decoder_input_ids", ids({2, 2}, {1, 2, 3, 4})},
                                 {"input_features", Tensor::make({2, 80, 100}, Format::f32)}};
  const ForwardInputs in = ForwardInputs::from(tensors);
  EXPECT_EQ(in.token_ids, (std::vector<int32_t>{1, 2, 3, 4}));
  const LoadOptions options = forward_options(in);
  EXPECT_EQ(options.sequences, 2);
  EXPECT_EQ(options.step_tokens, 4);
  EXPECT_EQ(options.context, 2);
  EXPECT_EQ(options.source, (std::vector<int64_t>{80, 100}));
}

TEST(ForwardInputs, WidenHalfPrecisionImages) {
  Tensor half = Tensor::make({1, 1, 1, 2}, Format::bf16);
  half.data<uint16_t>()[1] = 0x3fc0;  // 1.5
  const NamedTensor tensors[] = {{"pixel_values", half}};
  const ForwardInputs in = ForwardInputs::from(tensors);
  EXPECT_EQ(in.pixel_values.format, Format::f32);
  EXPECT_EQ(in.pixel_values.data<float>()[1], 1.5f);
  EXPECT_EQ(in.tokens(), 0);
}

struct BadInput {
  const char* name;
  std::vector<NamedTensor> tensors;
  const char* field;
  const char* says;
};
class ForwardInputsRefuse : public testing::TestWithParam<BadInput> {};

TEST_P(ForwardInputsRefuse, AndNameTheArgument) {
  try {
    ForwardInputs::from(GetParam().tensors, "in.safetensors");
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.place().field, GetParam().field);
    EXPECT_EQ(e.place().file, "in.safetensors");
    EXPECT_NE(e.line().find(GetParam().says), std::string::npos) << e.line();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ForwardInputsRefuse,
    testing::Values(
        BadInput{"Unknown", {{"labels", ids({1, 1}, {1})}}, "labels", "no model takes"},
        BadInput{"Twice", {{"in.input_ids", ids({1, 1}, {1})}, {"input_ids", ids({1, 1}, {1})}}, "input_ids", "twice"},
        BadInput{"OneDimension", {{"input_ids", ids({3}, {1, 2, 3})}}, "input_ids", "(3)"},
        BadInput{"MaskShape",
                 {{"input_ids", ids({1, 2}, {1, 2})}, {"attention_mask", ids({1, 3}, {1, 1, 1})}},
                 "attention_mask",
                 "is not (1, 2)"},
        BadInput{"MaskValue",
                 {{"input_ids", ids({1, 2}, {1, 2})}, {"attention_mask", ids({1, 2}, {1, 2})}},
                 "attention_mask",
                 "of 0 and 1"},
        BadInput{"WholeSequenceHidden",
                 {{"input_ids", ids({2, 1}, {1, 2})}, {"attention_mask", ids({2, 1}, {1, 0})}},
                 "attention_mask",
                 "sequence 1"},
        BadInput{"Floats", {{"input_ids", Tensor::make({1, 2}, Format::f32)}}, "input_ids", "f32"},
        BadInput{"Negative", {{"input_ids", ids({1, 2}, {1, -2})}}, "input_ids", "-2"},
        BadInput{"MaskAlone", {{"attention_mask", ids({1, 2}, {1, 1})}}, "attention_mask", "input_ids is missing"},
        BadInput{"ImageRank", {{"pixel_values", Tensor::make({3, 8, 8}, Format::f32)}}, "pixel_values", "4 dimensions"},
        BadInput{"Batches",
                 {{"decoder_input_ids", ids({1, 2}, {1, 2})}, {"input_features", Tensor::make({2, 8, 9}, Format::f32)}},
                 "decoder_input_ids",
                 "is not (2, 2)"},
        BadInput{"Nothing", {}, "", "no input"}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace braid
