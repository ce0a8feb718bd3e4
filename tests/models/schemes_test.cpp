// Schemes on modules small enough to be worked out by hand, and on those that do not fit together. The golden
// checkpoints of the field's tools are in tests/tasks/quantised_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "core/error.h"
#include "files/safetensors.h"
#include "formats/formats.h"
#include "formats/four_bit_tables.h"
#include "formats/half.h"
#include "models/schemes/scheme.h"
#include "support/kit.h"

namespace braid {
namespace {

template <class T>
Tensor tensor(Format format, std::vector<int64_t> shape, const std::vector<T>& values) {
  Tensor t = Tensor::make(std::move(shape), format);
  std::memcpy(t.bytes(), values.data(), values.size() * sizeof(T));
  return t;
}
Tensor words(std::vector<int64_t> shape, const std::vector<uint32_t>& values) {
  return tensor(Format::i32, std::move(shape), values);
}
Tensor bytes(std::vector<int64_t> shape, const std::vector<uint8_t>& values, Format format = Format::u8) {
  return tensor(format, std::move(shape), values);
}
Tensor floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  return Tensor::of(std::move(shape), values);
}
Tensor halves(std::vector<int64_t> shape, const std::vector<float>& values) {
  Tensor t = Tensor::make(std::move(shape), Format::f16);
  for (size_t i = 0; i < values.size(); ++i) t.data<uint16_t>()[i] = float_to_half(values[i]);
  return t;
}

using Tensors = std::map<std::string, Tensor>;

/// A checkpoint on disk, opened by the scheme that its config names.
class Opened {
 public:
  Opened(const Tensors& tensors, const std::string& how) {
    std::vector<NamedTensor> named;
    for (const auto& [name, t] : tensors) named.push_back({name, t});
    const std::string path = (folder_.path() / "model.safetensors").string();
    write_safetensors(path, named);
    checkpoint_ = std::make_shared<const Checkpoint>(Checkpoint::open(path));
    weights =
        QuantizedCheckpoint::open(Config::parse("{\"quantization_config\": " + how + "}", "config.json"), checkpoint_);
  }
  std::vector<float> numbers(const std::string& name = "m.weight") const {
    const Tensor made = weights->make(*weights->find(name));
    std::vector<float> all(static_cast<size_t>(made.elements()));
    format_ops(made.format).decode(made.bytes(), all);
    return all;
  }
  std::shared_ptr<const QuantizedCheckpoint> weights;

 private:
  test::TempDirectory folder_;
  std::shared_ptr<const Checkpoint> checkpoint_;
};

/// One output row repeated: 8 outputs, 32 inputs in groups of 16; code of input i is i % 16, zero points 3 and 5.
Tensors gptq_module() {
  std::vector<uint32_t> codes(32 / 8 * 8), zeros(2);
  for (size_t word = 0; word < 4; ++word)
    for (size_t out = 0; out < 8; ++out)
      for (size_t i = 0; i < 8; ++i) codes[word * 8 + out] |= static_cast<uint32_t>((word * 8 + i) % 16) << 4 * i;
  zeros[0] = 0x22222222;  // less one
  zeros[1] = 0x44444444;
  std::vector<int32_t> order(32);
  for (size_t i = 0; i < 32; ++i) order[i] = static_cast<int32_t>(i / 16);
  std::vector<float> scales(16, 0.5f);
  std::fill(scales.begin() + 8, scales.end(), -2.0f);
  return {{"m.qweight", words({4, 8}, codes)},
          {"m.qzeros", words({2, 1}, zeros)},
          {"m.scales", halves({2, 8}, scales)},
          {"m.g_idx", tensor(Format::i32, {32}, order)},
          {"m.bias", floats({8}, std::vector<float>(8))}};
}
const std::string kGptq = R"({"quant_method": "gptq", "bits": 4, "group_size": 16})";

TEST(Gptq, UnpacksDownTheInputsAndAddsOneToTheZeroPoints) {
  const Opened o(gptq_module(), kGptq);
  EXPECT_EQ(o.weights->names(), (std::vector<std::string>{"m.bias", "m.weight"}));
  EXPECT_EQ(o.weights->find("m.weight")->format(), Format::i4_g16);
  const std::vector<float> w = o.numbers();
  for (size_t out = 0; out < 8; ++out)
    for (size_t i = 0; i < 32; ++i)
      EXPECT_EQ(w[out * 32 + i],
                i < 16 ? 0.5f * (static_cast<float>(i) - 3) : -2.0f * (static_cast<float>(i) - 16 - 5));
}

TEST(Gptq, Version2StoresZeroPointsAsTheyAre) {
  const Opened o(gptq_module(),
                 R"({"quant_method": "gptq", "bits": 4, "group_size": 16, "checkpoint_format": "gptq_v2"})");
  EXPECT_EQ(o.numbers()[0], 0.5f * (0 - 2));
}

TEST(Gptq, AZeroPointOfZeroHadBorrowedFromItsNeighbour) {
  Tensors tensors = gptq_module();
  tensors["m.qzeros"] = words({2, 1}, {0x22222220u - 0x11111111u + 0x0u, 0x44444444u});  // zeros 0 2 2 2 … less one
  const std::vector<float> w = Opened(tensors, kGptq).numbers();
  EXPECT_EQ(w[0], 0.0f);             // output 0: 0.5 · (0 - 0)
  EXPECT_EQ(w[32], 0.5f * (0 - 2));  // output 1
}

TEST(Gptq, ActOrderTakesEachInputsOwnGroup) {
  Tensors tensors = gptq_module();
  for (size_t i = 0; i < 32; ++i) tensors["m.g_idx"].data<int32_t>()[i] = static_cast<int32_t>(i % 2);
  const Opened o(tensors, kGptq);
  EXPECT_EQ(o.weights->find("m.weight")->format(), Format::f32) << "no block has one group";
  const std::vector<float> w = o.numbers();
  for (size_t i = 0; i < 32; ++i) {
    const float code = static_cast<float>(i % 16);
    EXPECT_EQ(w[i], i % 2 == 0 ? 0.5f * (code - 3) : -2.0f * (code - 5)) << i;
  }
  // Even inputs, then odd ones: each group lies together.
  const CodedWeight& weight = *o.weights->find("m.weight");
  ASSERT_EQ(weight.order.size(), 32u);
  EXPECT_EQ(weight.order[1], 2);
  EXPECT_EQ(weight.order[16], 1);
  const Tensor sorted = o.weights->make(weight, true);
  EXPECT_EQ(sorted.format, Format::i4_g16);
  std::vector<float> row(32);
  decode_row(sorted, 3, row);
  for (size_t i = 0; i < 32; ++i) EXPECT_EQ(row[i], w[static_cast<size_t>(weight.order[i])]) << i;
}

TEST(Gptq, ActOrderWithGroupsOfOtherSizesStaysScattered) {
  Tensors tensors = gptq_module();
  tensors["m.g_idx"].data<int32_t>()[31] = 0;
  const Opened o(tensors, kGptq);
  EXPECT_TRUE(o.weights->find("m.weight")->order.empty());
  EXPECT_EQ(o.numbers()[31], 0.5f * (15 - 3));
}

TEST(Awq, HasItsOwnOrderOfNibbles) {
  std::vector<uint32_t> codes(32, 0x76543210u), zeros(2, 0);  // outputs 0 1 2 3 4 5 6 7 ← nibbles 0 4 1 5 2 6 3 7
  const Tensors tensors = {{"m.qweight", words({32, 1}, codes)},
                           {"m.qzeros", words({2, 1}, zeros)},
                           {"m.scales", halves({2, 8}, std::vector<float>(16, 1.0f))}};
  const std::vector<float> w = Opened(tensors, R"({"quant_method": "awq", "bits": 4, "group_size": 16})").numbers();
  const float expected[] = {0, 4, 1, 5, 2, 6, 3, 7};
  for (size_t out = 0; out < 8; ++out) EXPECT_EQ(w[out * 32 + 9], expected[out]);
}

TEST(CompressedTensors, UnpacksNumbersAcrossWordBorders) {
  // One row of 32 codes of 3 bits in 3 words: code i is i % 8.
  std::vector<uint32_t> packed(3);
  for (uint64_t i = 0; i < 32; ++i)
    for (uint64_t bit = 0; bit < 3; ++bit)
      if ((i % 8 >> bit & 1) != 0) packed[(3 * i + bit) / 32] |= 1u << (3 * i + bit) % 32;
  const Tensors tensors = {{"m.weight_packed", words({1, 3}, packed)},
                           {"m.weight_shape", tensor<int64_t>(Format::i64, {2}, {1, 32})},
                           {"m.weight_scale", floats({1, 1}, {0.25f})}};
  const std::string how = R"({"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {}})";
  const std::vector<float> w = Opened(tensors, how).numbers();
  for (size_t i = 0; i < 32; ++i) EXPECT_EQ(w[i], 0.25f * (static_cast<float>(i % 8) - 4));
}

TEST(Fp8, TheLastBlockOfARowMayBeShort) {
  const Tensors tensors = {{"m.weight", bytes({2, 160}, std::vector<uint8_t>(320, 0x38), Format::f8e4m3)},  // ones
                           {"m.weight_scale_inv", floats({1, 2}, {3, 5})}};
  const Opened o(tensors, R"({"quant_method": "fp8", "weight_block_size": [128, 128]})");
  const std::vector<float> w = o.numbers();
  EXPECT_EQ(w[127], 3);
  EXPECT_EQ(w[128], 5);
  EXPECT_EQ(w[160 + 159], 5);
  EXPECT_EQ(o.weights->find("m.weight")->format(), Format::e4m3_g32);
}

TEST(Mxfp4, ExpertsAreTheTransposeOfTheFamilys) {
  const Tensors tensors = {{"m.down_proj_blocks", bytes({1, 2, 1, 16}, std::vector<uint8_t>(32, 0x31))},
                           {"m.down_proj_scales", bytes({1, 2, 1}, {127, 128})}};
  const Opened o(tensors, R"({"quant_method": "mxfp4"})");
  const CodedWeight* w = o.weights->find("m.down_proj^T");
  ASSERT_NE(w, nullptr);
  EXPECT_EQ(w->shape, (std::vector<int64_t>{1, 2, 32}));
  const std::vector<float> numbers = o.numbers("m.down_proj^T");
  EXPECT_EQ(numbers[0], 0.5f);
  EXPECT_EQ(numbers[1], 1.5f);
  EXPECT_EQ(numbers[33], 3);
}

Tensors nf4_module() {
  const std::string state = R"({"quant_type": "nf4", "blocksize": 64, "shape": [2, 64], "dtype": "float32"})";
  return {{"m.weight", bytes({64, 1}, std::vector<uint8_t>(64, 0xf0))},
          {"m.weight.absmax", floats({2}, {2, 4})},
          {"m.weight.quant_map", floats({16}, {formats::kNf4.begin(), formats::kNf4.end()})},
          {"m.weight.quant_state.bitsandbytes__nf4",
           bytes({static_cast<int64_t>(state.size())}, {state.begin(), state.end()})}};
}

TEST(Bitsandbytes, HasTheEvenElementInTheHighNibble) {
  const std::vector<float> w = Opened(nf4_module(), R"({"quant_method": "bitsandbytes"})").numbers();
  EXPECT_EQ(w[0], 2);
  EXPECT_EQ(w[1], -2);
  EXPECT_EQ(w[64], 4);
}

TEST(Schemes, LeaveAModelThatIsNotQuantisedAlone) {
  const test::TempDirectory folder;
  const std::string path = (folder.path() / "model.safetensors").string();
  write_safetensors(path, std::vector<NamedTensor>{{"w", floats({1}, {1})}});
  EXPECT_EQ(QuantizedCheckpoint::open(Config::parse("{}", "config.json"),
                                      std::make_shared<const Checkpoint>(Checkpoint::open(path))),
            nullptr);
}

struct Bad {
  const char* name;
  std::function<Tensors()> tensors;
  std::string how;
  std::string field;
  std::string says;
};

Tensors gptq_but(const std::string& name, Tensor with) {
  Tensors tensors = gptq_module();
  tensors[name] = std::move(with);
  return tensors;
}

class BadScheme : public testing::TestWithParam<Bad> {};

TEST_P(BadScheme, IsRefusedByName) {
  try {
    const Opened o(GetParam().tensors(), GetParam().how);
    for (const std::string& name : o.weights->names())
      if (const CodedWeight* w = o.weights->find(name)) o.weights->make(*w);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_NE(e.place().field.find(GetParam().field), std::string::npos) << e.line();
    EXPECT_NE(e.message().find(GetParam().says), std::string::npos) << e.line();
    EXPECT_FALSE(e.place().file.empty());
    EXPECT_TRUE(e.place().offset.has_value()) << e.line();
  }
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();
INSTANTIATE_TEST_SUITE_P(
    , BadScheme,
    testing::Values(
        Bad{"UnknownMethod", gptq_module, R"({"quant_method": "hqq"})", "quant_method", "hqq"},
        Bad{"GroupSizeOfTheConfig", gptq_module, R"({"quant_method": "gptq", "bits": 4, "group_size": 8})", "m.scales",
            "groups are of 16"},
        Bad{"BitsOfTheConfig", gptq_module, R"({"quant_method": "gptq", "bits": 8, "group_size": 16})", "m.qweight",
            "8 bits"},
        Bad{"GroupsThatDoNotDivide",
            [] {
              Tensors t = gptq_but("m.scales", halves({3, 8}, std::vector<float>(24, 1.0f)));
              t["m.qzeros"] = words({3, 1}, {0, 0, 0});
              return t;
            },
            kGptq, "m.scales", "do not divide"},
        Bad{"ActOrderOutOfRange",
            [] {
              Tensors t = gptq_module();
              t["m.g_idx"].data<int32_t>()[7] = 2;
              return t;
            },
            kGptq, "m.g_idx", "input 7 is of group 2"},
        Bad{"NegativeActOrder",
            [] {
              Tensors t = gptq_module();
              t["m.g_idx"].data<int32_t>()[0] = -1;
              return t;
            },
            kGptq, "m.g_idx", "group -1"},
        Bad{"ActOrderOfAnotherLength", [] { return gptq_but("m.g_idx", words({31}, std::vector<uint32_t>(31))); },
            kGptq, "m.g_idx", "other tensors"},
        Bad{"ScaleOfNaN",
            [] {
              Tensors t = gptq_module();
              t["m.scales"].data<uint16_t>()[3] = 0x7e00;
              return t;
            },
            kGptq, "m.scales", "not finite"},
        Bad{"InfiniteScale",
            [] {
              return gptq_but("m.scales", halves({2, 8}, std::vector<float>(16, kInfinity)));
            },
            kGptq, "m.scales", "not finite"},
        Bad{"ZeroPointsOfAnotherWidth",
            [] {
              return gptq_but("m.qzeros", words({2, 2}, {1, 1, 1, 1}));
            },
            kGptq, "m.g_idx", "other tensors"},
        Bad{"CodesAsFloats",
            [] {
              return gptq_but("m.qweight", floats({4, 8}, std::vector<float>(32)));
            },
            kGptq, "m.qweight", "f32"},
        Bad{"EmptyCodes",
            [] {
              return gptq_but("m.qweight", words({0, 8}, {}));
            },
            kGptq, "m.qweight", "empty"},
        Bad{"AwqOfThreeBits", gptq_module, R"({"quant_method": "awq", "bits": 3})", "bits", "4 bits"},
        Bad{"AwqGemv", gptq_module, R"({"quant_method": "awq", "bits": 4, "version": "gemv"})", "version", "gemv"},
        Bad{"UnknownPacking", gptq_module, R"({"quant_method": "auto-round", "packing_format": "auto_round:llm"})",
            "packing_format", "auto_round:llm"},
        Bad{"Fp8ScalesOfAnotherGrid",
            [] {
              return Tensors{{"m.weight", bytes({2, 160}, std::vector<uint8_t>(320), Format::f8e4m3)},
                             {"m.weight_scale_inv", floats({1, 1}, {3})}};
            },
            R"({"quant_method": "fp8", "weight_block_size": [128, 128]})", "m.weight_scale_inv", "other tensors"},
        Bad{"ExponentOfNaN",
            [] {
              return Tensors{{"m.down_proj_blocks", bytes({1, 1, 1, 16}, std::vector<uint8_t>(16))},
                             {"m.down_proj_scales", bytes({1, 1, 1}, {255})}};
            },
            R"({"quant_method": "mxfp4"})", "m.down_proj_scales", "not finite"},
        Bad{"GlobalScaleOfZero",
            [] {
              return Tensors{{"m.weight_packed", bytes({1, 8}, std::vector<uint8_t>(8))},
                             {"m.weight_scale", bytes({1, 1}, {0x38}, Format::f8e4m3)},
                             {"m.weight_global_scale", floats({1}, {0})}};
            },
            R"({"quant_method": "compressed-tensors", "config_groups": {}})", "m.weight_scale", "not finite"},
        Bad{"ShapeThatTheCodesDoNotHave",
            [] {
              return Tensors{{"m.weight_packed", words({1, 4}, {0, 0, 0, 0})},
                             {"m.weight_shape", tensor<int64_t>(Format::i64, {2}, {1, 1 << 20})},
                             {"m.weight_scale", floats({1, 1}, {1})}};
            },
            R"({"quant_method": "compressed-tensors", "config_groups": {}})", "m.weight_packed", "dense stream"},
        Bad{"NegativeShape",
            [] {
              return Tensors{{"m.weight_packed", words({1, 4}, {0, 0, 0, 0})},
                             {"m.weight_shape", tensor<int64_t>(Format::i64, {2}, {-1, 32})},
                             {"m.weight_scale", floats({1, 1}, {1})}};
            },
            R"({"quant_method": "compressed-tensors", "config_groups": {}})", "m.weight_shape", "out of range"},
        Bad{"GroupSizeThatNoConfigGroupHas",
            [] {
              return Tensors{{"m.weight", bytes({1, 64}, std::vector<uint8_t>(64), Format::i8)},
                             {"m.weight_scale", floats({1, 2}, {1, 1})}};
            },
            R"({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"group_size": 64}}}})",
            "m.weight_scale", "groups are of 32"},
        Bad{"AnotherTable",
            [] {
              Tensors t = nf4_module();
              t["m.weight.quant_map"].data<float>()[3] = 0;
              return t;
            },
            R"({"quant_method": "bitsandbytes"})", "quant_map", "nf4"},
        Bad{"TooFewNibbles",
            [] {
              Tensors t = nf4_module();
              t["m.weight"] = bytes({32, 1}, std::vector<uint8_t>(32));
              return t;
            },
            R"({"quant_method": "bitsandbytes"})", "m.weight", "other tensors"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace braid
