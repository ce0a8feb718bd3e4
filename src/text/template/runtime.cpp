#include "text/template/runtime.h"

namespace braid::jinja {
namespace {

[[noreturn]] void over_budget(const std::string& what) { throw Fault(what, Fault::Kind::budget); }

}  // namespace

Runtime::Deeper::Deeper(Runtime& runtime) : runtime_(runtime) {
  if (++runtime_.depth_ <= runtime_.limits_.max_depth) return;
  --runtime_.depth_;
  over_budget("the template calls itself too deeply (more than " + std::to_string(runtime_.limits_.max_depth) +
              " levels)");
}

void Runtime::spend(uint64_t steps) {
  steps_ += steps;
  if (steps_ > limits_.max_steps)
    over_budget("the template takes more than " + std::to_string(limits_.max_steps) + " steps");
}

void Runtime::hold(uint64_t bytes) {
  held_ += bytes;
  if (held_ > limits_.max_bytes || *text_bytes_ > limits_.max_bytes - held_)
    over_budget("the template's values take more than " + std::to_string(limits_.max_bytes) + " bytes");
}

void Runtime::check_size(uint64_t bytes) const {
  if (bytes > limits_.max_text_bytes)
    over_budget("a text of the template has more than " + std::to_string(limits_.max_text_bytes) + " bytes");
}

Value Runtime::string(Text text, bool markup) {
  const size_t bytes = text.size();
  check_size(bytes);
  spend(bytes / 64);
  // What is alive counts, not what was made: a text that grows by pieces leaves its former selves behind.
  constexpr size_t kOverhead = 160;
  *text_bytes_ += bytes + kOverhead;
  auto* made = new Text(std::move(text));
  TextPtr shared(made, [counter = text_bytes_, size = bytes + kOverhead](const Text* t) {
    *counter -= size;
    delete t;
  });
  hold(0);
  return Value::string(std::move(shared), markup);
}

Value Runtime::sequence(Kind kind, std::vector<Value> items) {
  hold(items.size() * sizeof(Value));
  spend(items.size() / 8);
  auto& made = make<Sequence>();
  made.items = std::move(items);
  return Value::object(kind, made);
}

Value Runtime::view(std::string_view name, std::vector<Value> items) {
  Value v = sequence(Kind::view, std::move(items));
  v.as<Sequence>().name = name;
  return v;
}

Value Runtime::range(Integer start, Integer stop, Integer step) {
  if (step == 0) throw Fault("range() arg 3 must not be zero");
  Integer distance = 0;
  if (__builtin_sub_overflow(step > 0 ? stop : start, step > 0 ? start : stop, &distance))
    over_budget("the range is too long");
  const Integer stride = step > 0 ? step : -step;
  const Integer length = distance <= 0 ? 0 : (distance - 1) / stride + 1;
  if (length > static_cast<Integer>(limits_.max_range))
    over_budget("a range of " + to_decimal(length) + " numbers is longer than the limit of " +
                std::to_string(limits_.max_range));
  std::vector<Value> items;
  items.reserve(static_cast<size_t>(length));
  for (Integer i = 0; i < length; ++i) items.push_back(Value::integer(start + i * step));
  Value v = sequence(Kind::range, std::move(items));
  v.as<Sequence>().start = start;
  v.as<Sequence>().stop = stop;
  v.as<Sequence>().step = step;
  return v;
}

Value Runtime::iterator(std::function<std::vector<Value>()> produce) {
  auto& made = make<Iterator>();
  made.produce = std::move(produce);
  return Value::object(Kind::iterator, made);
}

Value Runtime::undefined(const std::string& message, bool unsafe) {
  return Value::undefined(string(message).text_ptr(), unsafe);
}

}  // namespace braid::jinja
