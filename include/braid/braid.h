#pragma once
// Braid from C++: load a model, let it write, run it on tensors, tokenise.
//
//   braid::Model model = braid::Model::load("books-4m");
//   model.generate({.prompt = "Once upon a time"}, [](std::string_view text) { std::cout << text; return true; });
//
// Every function may throw std::runtime_error; what() is one line: what is wrong, where, and what to do about it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace braid {
inline namespace api {  // the library's own types have other mangled names

struct Options {
  std::string device = "auto";  ///< "auto", "cpu"
  int threads = 0;              ///< 0: one per core
  std::string weights = {};     ///< convert weights at load: "bf16", "q8_0", "q4_0" …; empty: as they are
  bool exact = false;           ///< fp32 activations and cache
  int64_t context = 0;          ///< longest sequence in tokens; 0: the model's, at most 8192
};

/// Settings that are left out are as the model's generation_config.json says, else without effect; without a
/// temperature the most probable token is taken, unless the model samples.
struct Generation {
  std::string prompt = {};
  std::vector<int32_t> prompt_ids = {};    ///< instead of `prompt`, taken as they are
  int64_t max_tokens = 0;                  ///< 0: as the model says, else as many as the context leaves
  std::optional<double> temperature = {};  ///< 0: the most probable token
  std::optional<int64_t> top_k = {};       ///< 0: all
  std::optional<double> top_p = {}, min_p = {};
  std::optional<double> repetition_penalty = {}, frequency_penalty = {}, presence_penalty = {};
  std::optional<int64_t> no_repeat_ngram_size = {}, min_tokens = {};
  uint64_t seed = 0;  ///< the same seed gives the same text
  std::vector<std::string> stop = {};
  bool ignore_eos = false;
  int64_t logprobs = -1;  ///< log-probabilities of the tokens, with so many of the likeliest; -1: none
};

struct TokenLogprob {
  int32_t token = 0;
  double logprob = 0;
  std::vector<std::pair<int32_t, double>> top = {};  ///< the likeliest tokens, from the first on
};

struct Generated {
  std::string text;
  std::vector<int32_t> token_ids;
  int64_t prompt_tokens = 0;
  std::string finish_reason;                ///< "stop", "length", "cancelled"
  std::vector<TokenLogprob> logprobs = {};  ///< one per token, when asked for
};

/// A dense tensor in row-major order; one of the two vectors holds its elements.
struct Array {
  std::vector<int64_t> shape;
  std::vector<float> floats = {};
  std::vector<int32_t> integers = {};
};

/// A model made ready. Movable; one call at a time.
class Model {
 public:
  /// A folder in Hugging Face layout, a name in the local Hugging Face cache, or the name of an embedded model.
  static Model load(const std::string& model, const Options& options = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  /// `on_text` gets whole characters as they come, never a part of a stop string; returning false ends the text.
  Generated generate(const Generation& generation, const std::function<bool(std::string_view)>& on_text = {});

  /// One pass over tensors named as the arguments of Hugging Face's models (input_ids, attention_mask, pixel_values …).
  /// Outputs are named as there, too (logits, last_hidden_state …), in f32.
  std::map<std::string, Array> forward(const std::map<std::string, Array>& inputs);

  /// With `special`, also the tokens that the model's template adds.
  std::vector<int32_t> tokenize(std::string_view text, bool special = true) const;
  std::string detokenize(std::span<const int32_t> ids, bool skip_special = false) const;

 private:
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace api
}  // namespace braid
