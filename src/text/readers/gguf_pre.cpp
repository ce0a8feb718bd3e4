#include "text/readers/gguf_pre.h"

#include <algorithm>

namespace braid::text {
namespace {

// The patterns are those of the models' own tokenizer.json files, which llama.cpp's names stand for.
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4oPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepseek3Words =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBloomPattern = R"( ?[^(\s|.,!?…。，、।۔،)]+)";

constexpr std::string_view kDefault[] = {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Pattern, R"(\p{N}+)", "[0-9][0-9][0-9]"};
constexpr std::string_view kGpt2[] = {kGpt2Pattern};
constexpr std::string_view kStarcoder[] = {R"(\p{N})", kGpt2Pattern};
constexpr std::string_view kFalcon[] = {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2Pattern, "[0-9][0-9][0-9]"};
constexpr std::string_view kLlama3[] = {kLlama3Pattern};
constexpr std::string_view kQwen2[] = {kQwen2Pattern};
constexpr std::string_view kQwen35[] = {kQwen35Pattern};
constexpr std::string_view kTekken[] = {kTekkenPattern};
constexpr std::string_view kGpt4o[] = {kGpt4oPattern};
constexpr std::string_view kDeepseek3[] = {R"(\p{N}{1,3})", "[一-龥\u3040-ゟ゠-ヿ]+", kDeepseek3Words};
constexpr std::string_view kDeepseekCoder[] = {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥ࠀ-一가-\uD7FF]+",
                                               R"(\p{N})"};
constexpr std::string_view kBloom[] = {kBloomPattern};
constexpr std::string_view kViking[] = {kBloomPattern, R"(\p{N})"};

constexpr std::string_view kNfc = R"({"type": "NFC"})";

constexpr std::string_view kDefaultNames[] = {"default", ""};
constexpr std::string_view kGpt2Names[] = {"gpt-2",      "phi-2",      "jina-es", "jina-de",  "gigachat",
                                           "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum",   "modern-bert",
                                           "mpt",        "olmo",       "jais",    "trillion", "granite-docling"};
constexpr std::string_view kStarcoderNames[] = {"starcoder", "refact", "command-r", "smollm",
                                                "codeshell", "exaone", "minerva-7b"};
constexpr std::string_view kFalconNames[] = {"falcon"};
constexpr std::string_view kLlama3Names[] = {"llama3",  "llama-v3", "llama-bpe", "falcon3",     "falcon-h1",
                                             "pixtral", "midm-2.0", "lfm2",      "jina-v5-nano"};
constexpr std::string_view kLlama3PlainNames[] = {"dbrx", "smaug-bpe", "chatglm-bpe"};
constexpr std::string_view kGlm4Names[] = {"glm4", "glm5"};
constexpr std::string_view kQwen2Names[] = {"qwen2"};
constexpr std::string_view kQwen2PlainNames[] = {"deepseek-r1-qwen", "stablelm2", "hunyuan",
                                                 "megrez",           "grok-2",    "kormo"};
constexpr std::string_view kQwen35Names[] = {"qwen35"};
constexpr std::string_view kTekkenNames[] = {"tekken"};
constexpr std::string_view kGpt4oNames[] = {"gpt-4o", "llama4", "kanana2"};
constexpr std::string_view kDeepseek3Names[] = {"deepseek-v3", "hunyuan-dense", "joyai-llm"};
constexpr std::string_view kDeepseekCoderNames[] = {"deepseek-coder"};
constexpr std::string_view kBloomNames[] = {"bloom", "poro-chat", "gpt3-finnish"};
constexpr std::string_view kVikingNames[] = {"viking"};

constexpr GgufPreTokenizer kPreTokenizers[] = {
    {.names = kDefaultNames, .patterns = kDefault},
    {.names = kGpt2Names, .patterns = kGpt2},
    {.names = kStarcoderNames, .patterns = kStarcoder},
    {.names = kFalconNames, .patterns = kFalcon},
    {.names = kLlama3Names, .patterns = kLlama3, .ignore_merges = true, .add_bos = true},
    {.names = kLlama3PlainNames, .patterns = kLlama3},
    {.names = kGlm4Names, .patterns = kLlama3, .ignore_merges = true},
    {.names = kQwen2Names, .patterns = kQwen2, .normalizer = kNfc},  // which llama.cpp leaves out
    {.names = kQwen2PlainNames, .patterns = kQwen2},
    {.names = kQwen35Names, .patterns = kQwen35, .normalizer = kNfc},
    {.names = kTekkenNames, .patterns = kTekken, .ignore_merges = true, .add_bos = true},
    {.names = kGpt4oNames, .patterns = kGpt4o},
    {.names = kDeepseek3Names, .patterns = kDeepseek3},
    {.names = kDeepseekCoderNames, .patterns = kDeepseekCoder},
    {.names = kBloomNames, .patterns = kBloom},
    {.names = kVikingNames, .patterns = kViking},
};

}  // namespace

const GgufPreTokenizer* find_gguf_pre_tokenizer(std::string_view name) {
  for (const GgufPreTokenizer& pre : kPreTokenizers)
    if (std::ranges::find(pre.names, name) != pre.names.end()) return &pre;
  return nullptr;
}

std::vector<std::string_view> gguf_pre_tokenizers() {
  std::vector<std::string_view> names;
  for (const GgufPreTokenizer& pre : kPreTokenizers)
    for (const std::string_view name : pre.names)
      if (!name.empty()) names.push_back(name);
  return names;
}

}  // namespace braid::text
