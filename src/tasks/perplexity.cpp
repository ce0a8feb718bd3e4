#include "tasks/perplexity.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "tasks/sequences.h"

namespace braid {
namespace {

constexpr int64_t kStep = 512;  // tokens: enough rows for products at full speed, few enough for their logits

}  // namespace

LoadOptions perplexity_options(const PerplexityOptions& options, LoadOptions base) {
  base.context = options.context;
  base.sequences = 1;
  base.step_tokens = std::min(kStep, options.context);
  base.rows = base.step_tokens;
  return base;
}

double negative_log_likelihood(std::span<const float> logits, int32_t target) {
  const float most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - most);
  return std::log(sum) + most - logits[static_cast<size_t>(target)];
}

Perplexity perplexity(Program& program, std::span<const int32_t> ids, const PerplexityOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  const auto total = static_cast<int64_t>(ids.size());
  Sequences sequence(program, 1);
  Perplexity result;
  double sum = 0;
  for (int64_t window = 0; window < total; window += options.context) {
    sequence.restart();
    const int64_t end = std::min(total, window + options.context);
    if (end - window < 2) break;  // one token alone scores nothing
    for (int64_t at = window; at < end; at += program.options().step_tokens) {
      if (options.progress && !options.progress(at, total)) throw Error("stopped before the text was scored");
      const int64_t n = std::min(program.options().step_tokens, end - at);
      const Tensor logits = sequence.append(ids.subspan(static_cast<size_t>(at), static_cast<size_t>(n)), n);
      const int64_t scored = std::min(n, end - at - 1);  // the window's last token predicts nothing that counts
      std::vector<double> losses(static_cast<size_t>(std::max<int64_t>(0, scored)));
      const auto width = static_cast<size_t>(logits.last());
      parallel_for(losses.size(), [&](size_t r) {
        losses[r] = negative_log_likelihood({logits.data<float>() + r * width, width},
                                            ids[static_cast<size_t>(at) + r + 1]);
      });
      for (const double loss : losses) sum += loss;
      result.tokens += scored;
    }
  }
  if (result.tokens == 0) throw Error("the text is too short: two tokens at least can be scored");
  result.nll = sum / static_cast<double>(result.tokens);
  result.perplexity = std::exp(result.nll);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return result;
}

}  // namespace braid
