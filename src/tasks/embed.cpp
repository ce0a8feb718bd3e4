#include "tasks/embed.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "text/unicode/properties.h"
#include "text/unicode/utf8.h"

namespace braid {
namespace {

/// Text that is not UTF-8 stays as it is: the tokenizer refuses it.
std::string lowercased(const std::string& text) {
  if (utf8::first_invalid(text)) return text;
  std::string lower;
  for (size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::decode(text, at);
    at += c.bytes;
    for (const char32_t l : unicode::lowercase(c.code_point)) utf8::append(lower, l);
  }
  return lower;
}

/// x (tokens, width) → (width).
std::vector<float> pooled(Pooling how, const SequenceOutput& x) {
  const auto width = static_cast<size_t>(x.width), tokens = x.values.size() / width;
  const auto row = [&](size_t i) { return x.values.subspan(i * width, width); };
  if (how == Pooling::first) return {row(0).begin(), row(0).end()};
  if (how == Pooling::last) return {row(tokens - 1).begin(), row(tokens - 1).end()};
  std::vector<float> result(width);
  for (size_t d = 0; d < width; ++d) {
    double sum = 0, weights = 0;
    float most = row(0)[d];
    for (size_t i = 0; i < tokens; ++i) {
      const double weight = how == Pooling::weighted_mean ? static_cast<double>(i + 1) : 1.0;
      sum += weight * row(i)[d];
      weights += weight;
      most = std::max(most, row(i)[d]);
    }
    const double mean = sum / (how == Pooling::mean_sqrt ? std::sqrt(weights) : weights);
    result[d] = how == Pooling::max ? most : static_cast<float>(mean);
  }
  return result;
}

std::vector<float> through(const DenseLayer& dense, const std::vector<float>& x) {
  const int64_t outputs = dense.weight.shape[0], inputs = dense.weight.shape[1];
  if (std::ssize(x) != inputs)
    throw Error("a dense layer reads vectors of " + std::to_string(inputs) + " numbers, and those of the texts have " +
                    std::to_string(x.size()),
                {.file = {}, .field = "in_features", .offset = {}}, "check the pooling's config.json");
  std::vector<float> y(static_cast<size_t>(outputs));
  for (int64_t o = 0; o < outputs; ++o) {
    const float* row = dense.weight.data<float>() + o * inputs;
    double sum = dense.bias ? dense.bias.data<float>()[o] : 0;
    for (int64_t i = 0; i < inputs; ++i) sum += static_cast<double>(row[i]) * x[static_cast<size_t>(i)];
    const auto value = static_cast<float>(sum);
    y[static_cast<size_t>(o)] = dense.activation == nullptr ? value : dense.activation(value);
  }
  return y;
}

void to_length_one(std::vector<float>& x) {
  double square = 0;
  for (const float v : x) square += static_cast<double>(v) * v;
  const double length = std::max(std::sqrt(square), 1e-12);  // torch's floor
  for (float& v : x) v = static_cast<float>(v / length);
}

}  // namespace

std::vector<std::vector<float>> embed(LoadedModel& model, std::span<const std::string> texts,
                                      const EmbedOptions& options) {
  std::vector<Sequence> sequences;
  for (const std::string& text : texts) {
    const std::string whole = options.prompt + text;
    sequences.push_back(sequence_of(model, options.lowercase ? lowercased(whole) : whole, options.max_tokens));
    check_length(model, sequences.back(), sequences.size() - 1);
  }
  std::vector<std::vector<float>> vectors(texts.size());
  run_sequences(*model.program, sequences, "last_hidden_state", [&](const SequenceOutput& x) {
    std::vector<float>& vector = vectors[x.index];
    for (const Pooling how : options.pooling) std::ranges::copy(pooled(how, x), std::back_inserter(vector));
    for (const DenseLayer& dense : options.dense) vector = through(dense, vector);
    if (options.normalise) to_length_one(vector);
  });
  return vectors;
}

}  // namespace braid
