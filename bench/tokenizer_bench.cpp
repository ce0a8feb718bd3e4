// Tokenizers: megabytes of English encoded a second on one core, milliseconds to load one of Llama 3's size, and the
// cost of one endless word.
//   cmake -DBRAID_BENCH=ON … && ninja braid_bench_tokenizer && ./bench/braid_bench_tokenizer

#include <benchmark/benchmark.h>

#include <random>
#include <unordered_set>

#include "core/file_map.h"
#include "core/json.h"
#include "text/tokenizer.h"
#include "text/unicode/byte_alphabet.h"

namespace braid {
namespace {

const std::string kSource = BRAID_SOURCE_DIR;

std::string novel() { return read_text_file(kSource + "/tests/kit/data/eval/hound-of-the-baskervilles.txt", 64 << 20); }

Tokenizer kit_tokenizer(const std::string& name) {
  return Tokenizer::load(kSource + "/tests/kit/data/tokenizers/" + name);
}

/// A tokenizer.json of Llama 3's size and shape: 128,000 tokens, 280,147 merges, of random strings.
std::string llama3_sized() {
  constexpr size_t kTokens = 128'000, kMerges = 280'147;
  std::mt19937 random(3);
  std::vector<std::string> tokens;
  std::unordered_set<std::string> known;
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::string spelling;
    byte_alphabet::spell(std::string(1, static_cast<char>(byte)), spelling);
    known.insert(spelling);
    tokens.push_back(spelling);
  }
  std::vector<std::pair<std::string, std::string>> merges;
  while (tokens.size() < kTokens) {
    std::string first = tokens[random() % tokens.size()], second = tokens[random() % tokens.size()];
    if (first.size() + second.size() > 14 || !known.insert(first + second).second) continue;
    tokens.push_back(first + second);
    merges.emplace_back(std::move(first), std::move(second));
  }
  for (size_t i = 256; i < tokens.size() && merges.size() < kMerges; ++i) {
    for (size_t cut = 1; cut < tokens[i].size() && merges.size() < kMerges; ++cut) {
      std::string first = tokens[i].substr(0, cut), second = tokens[i].substr(cut);
      if (known.contains(first) && known.contains(second)) merges.emplace_back(std::move(first), std::move(second));
    }
  }
  JsonWriter json;
  json.begin_object().key("model").begin_object().member("type", "BPE").key("vocab").begin_object();
  for (size_t i = 0; i < tokens.size(); ++i) json.member(tokens[i], static_cast<int64_t>(i));
  json.end_object().key("merges").begin_array();
  for (const auto& [first, second] : merges) json.begin_array().value(first).value(second).end_array();
  return json.end_array().end_object().end_object().text();
}

void encode_english(benchmark::State& state, const std::string& name) {
  const Tokenizer tokenizer = kit_tokenizer(name);
  const std::string text = novel();
  for (auto step : state) benchmark::DoNotOptimize(tokenizer.encode(text).ids.data());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(encode_english, gpt_2, std::string("gpt-2"))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode_english, llama3_style, std::string("llama3-style"))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode_english, o200k_style, std::string("o200k-style"))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode_english, deepseek_v3_style, std::string("deepseek-v3-style"))->Unit(benchmark::kMillisecond);

/// Every word is new: the cache of words is of no use.
void encode_english_once(benchmark::State& state) {
  const std::string text = novel();
  const std::string path = kSource + "/tests/kit/data/tokenizers/gpt-2/tokenizer.json";
  for (auto step : state) {
    state.PauseTiming();
    const Tokenizer fresh = Tokenizer::load(path);
    state.ResumeTiming();
    benchmark::DoNotOptimize(fresh.encode(text).ids.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(encode_english_once)->Unit(benchmark::kMillisecond);

void encode_one_letter(benchmark::State& state) {
  const Tokenizer tokenizer = kit_tokenizer("gpt-2");
  const std::string text(static_cast<size_t>(state.range(0)), 'a');
  for (auto step : state) benchmark::DoNotOptimize(tokenizer.encode(text).ids.data());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(encode_one_letter)->Arg(1 << 16)->Arg(1 << 20)->Unit(benchmark::kMillisecond);

void load_llama3_sized(benchmark::State& state) {
  const std::string json = llama3_sized();
  for (auto step : state) benchmark::DoNotOptimize(Tokenizer::parse(json, "tokenizer.json").vocabulary_size());
}
BENCHMARK(load_llama3_sized)->Unit(benchmark::kMillisecond);

void load_gpt2(benchmark::State& state) {
  for (auto step : state) benchmark::DoNotOptimize(kit_tokenizer("gpt-2").vocabulary_size());
}
BENCHMARK(load_gpt2)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace braid
