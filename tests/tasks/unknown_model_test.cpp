// Models that are not what they say: each error names the piece that is missing or too many, and what is near it.

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>

#include "core/error.h"
#include "files/checkpoint.h"
#include "files/safetensors.h"
#include "support/kit.h"
#include "tasks/load.h"

namespace braid::test {
namespace {

constexpr const char* kModel = "golden/text/llama-bias";
using Tensors = std::map<std::string, Tensor>;

struct Broken {
  std::string name;
  std::pair<std::string, std::string> config = {};  ///< a piece of config.json, and what stands in its place
  std::function<void(Tensors&)> change = {};        ///< of the checkpoint's tensors
  std::vector<std::string> said = {};               ///< pieces of the error
};
void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class UnknownModel : public testing::TestWithParam<Broken> {};

TEST_P(UnknownModel, IsRefusedWithTheNameOfWhatDoesNotFit) {
  const auto folder = kit_path(kModel);
  ASSERT_TRUE(folder) << kit_missing(kModel);
  const Broken& broken = GetParam();
  const TempDirectory temporary;
  std::string config = read_file(*folder / "config.json");
  const size_t at = config.find(broken.config.first);
  ASSERT_NE(at, std::string::npos) << broken.config.first;
  config.replace(at, broken.config.first.size(), broken.config.second);
  temporary.write("config.json", config);

  const Checkpoint checkpoint = Checkpoint::open(folder->string());
  Tensors tensors;
  for (const std::string& name : checkpoint.names()) tensors.emplace(name, checkpoint.at(name));
  if (broken.change) broken.change(tensors);
  std::vector<NamedTensor> list;
  for (const auto& [name, tensor] : tensors) list.push_back({name, tensor});
  write_safetensors((temporary / "model.safetensors").string(), list);

  try {
    load_model({.model = (temporary / "").string(), .device = "oracle"});
    FAIL() << "loaded";
  } catch (const Error& error) {
    for (const std::string& piece : broken.said)
      EXPECT_NE(error.line().find(piece), std::string::npos) << piece << " is not in: " << error.line();
  }
}

Tensor zeros(std::vector<int64_t> shape, Format format = Format::f32) { return Tensor::make(std::move(shape), format); }

const std::string kUp = "model.layers.1.mlp.up_proj.weight";

INSTANTIATE_TEST_SUITE_P(
    , UnknownModel,
    testing::Values(Broken{.name = "ModelType",
                           .config = {R"("model_type": "llama")", R"("model_type": "lama")"},
                           .said = {"\"lama\"", "config.json", "model_type", "nearest is llama"}},
                    Broken{.name = "ModelTypeLikeNoOther",
                           .config = {R"("model_type": "llama")", R"("model_type": "hyperion")"},
                           .said = {"\"hyperion\"", "model_type", "Braid knows albert"}},
                    Broken{.name = "Architecture",
                           .config = {"LlamaForCausalLM", "LlamaForCausalLn"},
                           .said = {"LlamaForCausalLn", "architectures", "LlamaForCausalLM"}},
                    Broken{.name = "RopeType",
                           .config = {R"("rope_type": "default")", R"("rope_type": "spiral", "factor": 2.0)"},
                           .said = {"\"spiral\"", "rope_parameters.rope_type", "llama3"}},
                    Broken{.name = "Activation",
                           .config = {R"("hidden_act": "silu")", R"("hidden_act": "silly")"},
                           .said = {"\"silly\"", "hidden_act", "silu"}},
                    Broken{.name = "Quantisation",
                           .config = {"{", R"({"quantization_config": {"quant_method": "gptk", "bits": 4},)"},
                           .said = {"gptk", "quantization_config.quant_method", "gptq"}},
                    Broken{.name = "UnexpectedTensor",
                           .change =
                               [](Tensors& t) {
                                 t["model.layers.0.self_attn.q_prod.weight"] = zeros({4, 6});
                               },
                           .said = {"does not read", "model.layers.0.self_attn.q_prod.weight f32[4, 6]",
                                    "it reads model.layers.0.self_attn.q_proj.weight"}},
                    Broken{.name = "BiasThatTheConfigDenies",
                           .config = {R"("mlp_bias": true)", R"("mlp_bias": false)"},
                           .said = {"does not read", "model.layers.0.mlp.down_proj.bias", "more"}},
                    Broken{.name = "MissingTensor",
                           .change = [](Tensors& t) { t.erase(kUp); },
                           .said = {"lacks this tensor", kUp, "[", "it has model.layers.0.mlp.up_proj.weight"}},
                    Broken{.name = "MisspeltTensor",
                           .change =
                               [](Tensors& t) {
                                 t["model.layers.1.mlp.up_prj.weight"] = t.at(kUp);
                                 t.erase(kUp);
                               },
                           .said = {"lacks this tensor", kUp, "model.layers.1.mlp.up_prj.weight"}},
                    Broken{.name = "ShapeOfATensor",
                           .change =
                               [](Tensors& t) {
                                 t[kUp] = zeros({7, 5});
                               },
                           .said = {kUp, "f32[7, 5]", "the config makes it"}},
                    Broken{.name = "FormatOfATensor",
                           .change =
                               [](Tensors& t) {
                                 t["model.norm.weight"] = zeros(t.at("model.norm.weight").shape, Format::i32);
                               },
                           .said = {"model.norm.weight", "i32"}}),
    [](const auto& info) { return info.param.name; });

TEST(StaleTensors, AreNoErrorInAFamilyThatListsThem) {
  const auto folder = kit_path(kModel);
  ASSERT_TRUE(folder) << kit_missing(kModel);
  const TempDirectory temporary;
  temporary.write("config.json", read_file(*folder / "config.json"));
  const Checkpoint checkpoint = Checkpoint::open(folder->string());
  std::vector<NamedTensor> list{{"model.layers.0.self_attn.rotary_emb.inv_freq", zeros({4})}};
  for (const std::string& name : checkpoint.names()) list.push_back({name, checkpoint.at(name)});
  write_safetensors((temporary / "model.safetensors").string(), list);
  EXPECT_NO_THROW(load_model({.model = (temporary / "").string(), .device = "oracle"}));
}

}  // namespace
}  // namespace braid::test
