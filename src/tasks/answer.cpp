#include "tasks/answer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "text/unicode/utf8.h"

namespace braid {
namespace {

/// A window: the question and a part of the context, whose tokens are [begin, end) of it.
struct Window {
  Sequence sequence;
  size_t begin, end;
};

std::vector<Window> windows_of(const LoadedModel& model, const std::string& question, const std::string& context,
                               const AnswerOptions& options) {
  const Tokenizer& tokenizer = model.need_tokenizer();
  const Encoding whole = tokenizer.encode(question, {.pair = context});
  const std::vector<int32_t> plain = tokenizer.encode(context, {.add_special = false}).ids;
  const auto place = std::ranges::find_end(whole.ids, plain);
  if (plain.empty() || place.empty()) throw UsageError("the context has no tokens");
  const auto first = static_cast<size_t>(place.begin() - whole.ids.begin()), last = first + plain.size();
  const auto most = static_cast<size_t>(std::min(options.window, longest_text(model)));
  const size_t around = whole.ids.size() - plain.size();
  if (around >= most) throw UsageError("the question leaves no room for a context", {}, "give a shorter question");
  const size_t room = most - around, shared = std::min(static_cast<size_t>(options.overlap), most / 2);
  std::vector<Window> windows;
  for (size_t at = first;; at += std::max<size_t>(1, room > shared ? room - shared : 1)) {
    const size_t stop = std::min(at + room, last);
    Window window{.sequence = {}, .begin = first, .end = first + (stop - at)};
    const auto take = [&](const auto& from, auto& to) {
      to.assign(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(first));
      to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(at),
                from.begin() + static_cast<std::ptrdiff_t>(stop));
      to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(last), from.end());
    };
    take(whole.ids, window.sequence.encoding.ids);
    take(whole.type_ids, window.sequence.encoding.type_ids);
    take(whole.offsets, window.sequence.encoding.offsets);
    windows.push_back(std::move(window));
    if (stop == last) return windows;
  }
}

/// Probabilities over the context's tokens and the first token, which stands for "no answer".
std::vector<float> probabilities(const std::vector<float>& logits, const Window& w) {
  std::vector<float> kept{logits[0]};
  kept.insert(kept.end(), logits.begin() + static_cast<std::ptrdiff_t>(w.begin),
              logits.begin() + static_cast<std::ptrdiff_t>(w.end));
  softmax(kept);
  kept.erase(kept.begin());
  return kept;
}

bool in_word(char32_t c) {
  return c == '_' || c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Half words become whole.
void widen(const std::u32string& text, Answer& a) {
  const auto at = [&](int64_t i) { return text[static_cast<size_t>(i)]; };
  while (a.start > 0 && in_word(at(a.start)) && in_word(at(a.start - 1))) --a.start;
  while (a.end > a.start && a.end < std::ssize(text) && in_word(at(a.end - 1)) && in_word(at(a.end))) ++a.end;
}

std::u32string code_points(std::string_view text) {
  std::u32string all;
  for (size_t i = 0; i < text.size(); i += utf8::length(text[i])) all.push_back(utf8::decode(text, i).code_point);
  return all;
}

}  // namespace

std::vector<Answer> find_answers(LoadedModel& model, const std::string& question, const std::string& context,
                                 const AnswerOptions& options) {
  const std::vector<Window> windows = windows_of(model, question, context, options);
  std::vector<Sequence> sequences;
  for (const Window& window : windows) sequences.push_back(window.sequence);
  std::vector<std::vector<float>> starts(windows.size()), ends(windows.size());
  const auto keep = [](std::vector<std::vector<float>>& to) {
    return [&to](const SequenceOutput& out) { to[out.index].assign(out.values.begin(), out.values.end()); };
  };
  run_sequences(*model.program, sequences, "start_logits", keep(starts));
  run_sequences(*model.program, sequences, "end_logits", keep(ends));

  const std::u32string characters_of = code_points(context);
  std::vector<Answer> answers;
  for (size_t w = 0; w < windows.size(); ++w) {
    const std::vector<float> start = probabilities(starts[w], windows[w]), end = probabilities(ends[w], windows[w]);
    const auto& offsets = windows[w].sequence.encoding.offsets;
    for (size_t s = 0; s < start.size(); ++s)
      for (size_t e = s; e < std::min(end.size(), s + static_cast<size_t>(options.longest)); ++e)
        answers.push_back({.text = {},
                           .score = start[s] * end[e],
                           .start = offsets[windows[w].begin + s].first,
                           .end = offsets[windows[w].begin + e].second});
  }
  std::ranges::stable_sort(answers, std::ranges::greater(), &Answer::score);
  std::vector<Answer> best;
  for (Answer& a : answers) {
    widen(characters_of, a);
    const bool known = std::ranges::any_of(best, [&](const Answer& b) { return b.start == a.start && b.end == a.end; });
    if (known) continue;
    a.text = characters(context, a.start, a.end);
    best.push_back(a);
    if (std::ssize(best) >= options.top_k) break;
  }
  return best;
}

}  // namespace braid
