// Tokenizers: megabytes of English encoded a second on one core, for each tokenizer of the kit; milliseconds to load
// one of Llama 3's size; the cost of one endless word; and how soon a pattern without end is refused.
//   ./dev bench tokenizer
// BRAID_KIT=DIR names more tokenizers; options are Google Benchmark's (--benchmark_filter=load).

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <random>
#include <unordered_set>

#include "core/file_map.h"
#include "core/json.h"
#include "support/kit.h"
#include "text/tokenizer.h"
#include "text/unicode/byte_alphabet.h"

namespace braid {
namespace {

std::string kit(const std::string& name) {
  const auto path = test::kit_path(name);
  if (!path) throw Error(test::kit_missing(name));
  return path->string();
}
std::string novel() { return read_text_file(kit("data/eval/hound-of-the-baskervilles.txt"), 64 << 20); }
std::string gpt2() { return kit("data/tokenizers/gpt-2/tokenizer.json"); }

/// A tokenizer.json of Llama 3's size and shape: 128,000 tokens, 280,147 merges, of random strings; laid out as the
/// tokenizers library saves it, with the merges as pairs or, as before 2024, as lines.
std::string llama3_sized(bool pairs) {
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
  const auto quoted = [](const std::string& text) { return JsonWriter().value(text).text(); };
  std::string json = "{\n  \"version\": \"1.0\",\n  \"model\": {\n    \"type\": \"BPE\",\n    \"vocab\": {\n";
  for (size_t i = 0; i < tokens.size(); ++i)
    json += "      " + quoted(tokens[i]) + ": " + std::to_string(i) + (i + 1 < tokens.size() ? ",\n" : "\n");
  json += "    },\n    \"merges\": [\n";
  for (size_t i = 0; i < merges.size(); ++i) {
    const auto& [first, second] = merges[i];
    if (pairs)
      json += "      [\n        " + quoted(first) + ",\n        " + quoted(second) + "\n      ]";
    else
      json += "      " + quoted(first + " " + second);
    json += i + 1 < merges.size() ? ",\n" : "\n";
  }
  return json + "    ]\n  }\n}\n";
}

void encode_english(benchmark::State& state, const std::string& name) {
  const Tokenizer tokenizer = Tokenizer::load(kit("data/tokenizers/" + name));
  const std::string text = novel();
  for (auto step : state) benchmark::DoNotOptimize(tokenizer.encode(text).ids.data());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

/// Every word is new: the cache of words is of no use.
void encode_english_once(benchmark::State& state) {
  const std::string text = novel();
  for (auto step : state) {
    state.PauseTiming();
    const Tokenizer fresh = Tokenizer::load(gpt2());
    state.ResumeTiming();
    benchmark::DoNotOptimize(fresh.encode(text).ids.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

void encode_one_letter(benchmark::State& state) {
  const Tokenizer tokenizer = Tokenizer::load(gpt2());
  const std::string text(static_cast<size_t>(state.range(0)), 'a');
  for (auto step : state) benchmark::DoNotOptimize(tokenizer.encode(text).ids.data());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

/// Each load begins with fresh memory, as the only load of a program does.
void load_llama3_sized(benchmark::State& state, bool pairs) {
  const test::TempDirectory folder;
  const std::string path = folder.write("tokenizer.json", llama3_sized(pairs)).string();
  for (auto step : state) {
    benchmark::DoNotOptimize(Tokenizer::load(path).vocabulary_size());
    state.PauseTiming();
    malloc_trim(0);
    state.ResumeTiming();
  }
}

void load_gpt2(benchmark::State& state) {
  for (auto step : state) benchmark::DoNotOptimize(Tokenizer::load(gpt2()).vocabulary_size());
}

void refuse_endless_pattern(benchmark::State& state) {
  const Tokenizer tokenizer = Tokenizer::parse(
      R"({"model":{"type":"WordLevel","vocab":{"?":0},"unk_token":"?"},)"
      R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated","invert":false}})",
      "tokenizer.json");
  const std::string text = std::string(static_cast<size_t>(state.range(0)), 'a') + "!";
  for (auto step : state) {
    try {
      benchmark::DoNotOptimize(tokenizer.encode(text).ids.data());
      state.SkipWithError("was not refused");
      break;
    } catch (const Error&) {
    }
  }
}

void add_all() {
  using benchmark::kMillisecond;
  using benchmark::RegisterBenchmark;
  for (const std::string& name : test::kit_names("data/tokenizers")) {
    if (!Tokenizer::is_in(kit("data/tokenizers/" + name))) continue;
    RegisterBenchmark(("encode_english/" + name).c_str(), encode_english, name)->Unit(kMillisecond);
  }
  RegisterBenchmark("encode_english_once/gpt-2", encode_english_once)->Unit(kMillisecond);
  RegisterBenchmark("encode_one_letter/gpt-2", encode_one_letter)->Arg(1 << 16)->Arg(1 << 20)->Unit(kMillisecond);
  RegisterBenchmark("load_llama3_sized/merges_as_pairs", load_llama3_sized, true)->Unit(kMillisecond)->UseRealTime();
  RegisterBenchmark("load_llama3_sized/merges_as_lines", load_llama3_sized, false)->Unit(kMillisecond)->UseRealTime();
  RegisterBenchmark("load/gpt-2", load_gpt2)->Unit(kMillisecond)->UseRealTime();
  RegisterBenchmark("refuse_endless_pattern", refuse_endless_pattern)->Arg(30)->Arg(1 << 20)->Unit(kMillisecond);
}

}  // namespace
}  // namespace braid

int main(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 2;
  braid::add_all();
  benchmark::RunSpecifiedBenchmarks();
}
