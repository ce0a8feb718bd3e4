#include "engine/beam_search.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace braid {
namespace {

/// log-probabilities, in f32 as processors take them.
std::vector<float> log_softmax(std::span<const float> logits) {
  const double total = log_sum_exp(logits);
  if (!std::isfinite(total))
    throw Error("the model gave logits that are not numbers", {.file = {}, .field = "logits", .offset = {}},
                "check the weights, or run with --exact");
  std::vector<float> row(logits.size());
  std::ranges::transform(logits, row.begin(), [&](float x) { return static_cast<float>(x - total); });
  return row;
}

/// −log(−log u): the largest of log p + noise is a draw from p, the k largest k draws without replacement
/// (Gumbel-top-k, arXiv:1903.06059).
double gumbel(double u) { return -std::log(-std::log(std::max(u, 0x1p-60))); }

}  // namespace

BeamSearch::BeamSearch(DecodingOptions options)
    : options_(std::move(options)), sampler_(options_.sampling), draws_(!sampler_.greedy()), running_(1) {}

std::vector<BeamSearch::Continuation> BeamSearch::choose(std::span<const DecodingRow> rows) {
  const size_t ends = options_.sampling.ends.size(), vocabulary = rows.front().logits.size();
  const auto beams = static_cast<uint64_t>(options_.beams);
  const size_t most = std::max<size_t>(2, 1 + ends) * beams;  // as many can end, and all beams still go on
  std::vector<Continuation> chosen;                           // a heap whose front is the least
  const auto ranks_before = [](const Continuation& a, const Continuation& b) {
    if (a.key != b.key) return a.key > b.key;
    return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
  };
  const auto offer = [&](const Continuation& c) {
    if (chosen.size() == most) {
      if (!ranks_before(c, chosen.front())) return;
      std::ranges::pop_heap(chosen, ranks_before);
      chosen.pop_back();
    }
    chosen.push_back(c);
    std::ranges::push_heap(chosen, ranks_before);
  };
  for (size_t b = 0; b < rows.size(); ++b) {
    const auto beam = static_cast<int32_t>(b);
    const double before = running_[b].score;
    const std::span<const float> row = sampler_.processed(log_softmax(rows[b].logits), rows[b].history);
    if (!draws_) {
      for (size_t i = 0; i < row.size(); ++i)
        if (const double score = before + row[i]; std::isfinite(score))
          offer({beam, static_cast<int32_t>(i), score, score});
      continue;
    }
    const uint64_t first = (static_cast<uint64_t>(length_) * beams + b) * vocabulary;
    for (const Candidate& c : sampler_.candidates(row, std::max<size_t>(2, ends + 1))) {
      const double noise = gumbel(uniform(options_.sampling.seed, first + static_cast<uint64_t>(c.id)));
      offer({beam, c.id, before + c.logit, before + c.logit + noise});
    }
  }
  std::ranges::sort(chosen, ranks_before);
  return chosen;
}

BeamSearch::Beam BeamSearch::continued(const Continuation& c, std::span<const DecodingRow> rows) const {
  Beam beam = running_[static_cast<size_t>(c.beam)];
  beam.tokens.push_back(c.token);
  beam.score = c.score;
  if (options_.logprobs >= 0)
    beam.logprobs.push_back(token_logprob(rows[static_cast<size_t>(c.beam)].logits, c.token, options_.logprobs));
  return beam;
}

void BeamSearch::finish(Beam beam, FinishReason reason) {
  const double score = beam.score / std::pow(static_cast<double>(beam.tokens.size()), options_.length_penalty);
  const auto place = std::ranges::find_if(finished_, [&](const Hypothesis& h) { return h.score < score; });
  finished_.insert(place, {std::move(beam.tokens), score, std::move(beam.logprobs), reason});
  if (static_cast<int64_t>(finished_.size()) > options_.beams) finished_.pop_back();
}

/// Whether the best running beam could still displace a finished one. transformers guesses from the length that the
/// beams have now, unless told to be thorough.
bool BeamSearch::can_improve(int64_t most_tokens) const {
  if (running_.empty()) return false;
  if (!full()) return true;
  const bool longest = options_.early_stopping == EarlyStopping::never && options_.length_penalty > 0;
  const auto length = static_cast<double>(longest ? most_tokens : length_);
  return running_.front().score / std::pow(length, options_.length_penalty) > finished_.back().score;
}

Decoding::Advance BeamSearch::advance(std::span<const DecodingRow> rows) {
  const TokenHistory& history = rows.front().history;
  const bool last = history.tokens.size() + 1 >= history.last;
  const std::vector<Continuation> chosen = choose(rows);
  if (chosen.empty())
    throw Error("no token is left to choose", {.file = {}, .field = "logits", .offset = {}},
                "allow more than the settings do");
  const auto ends = [&](const Continuation& c) {
    return std::ranges::find(options_.sampling.ends, c.token) != options_.sampling.ends.end();
  };

  // The first of them, as many as there are beams, may be results; the others only keep the search going.
  std::vector<Continuation> next;
  const bool open = improvable_ && !(full() && options_.early_stopping == EarlyStopping::yes);
  for (size_t i = 0; i < chosen.size(); ++i) {
    const bool ended = ends(chosen[i]);
    if (!ended && !last) next.push_back(chosen[i]);
    if ((ended || last) && open && i < static_cast<size_t>(options_.beams))
      finish(continued(chosen[i], rows), ended ? FinishReason::stop : FinishReason::length);
  }
  std::ranges::stable_sort(next, std::ranges::greater(), &Continuation::score);  // draws come in another order
  next.resize(std::min(next.size(), static_cast<size_t>(options_.beams)), {0, 0, 0, 0});

  Advance out;
  std::vector<Beam> running;
  for (const Continuation& c : next) {
    running.push_back(continued(c, rows));
    out.next.push_back({c.beam, c.token});
  }
  running_ = std::move(running);
  ++length_;
  improvable_ = improvable_ && can_improve(static_cast<int64_t>(history.last - history.prompt));
  if (!improvable_ || (full() && options_.early_stopping == EarlyStopping::yes)) out.next.clear();
  return out;
}

std::vector<Hypothesis> BeamSearch::found() const {
  std::vector<Hypothesis> best = finished_;
  best.resize(std::min(best.size(), static_cast<size_t>(options_.sequences)));
  return best;
}

}  // namespace braid
