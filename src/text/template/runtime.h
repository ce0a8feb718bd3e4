#pragma once
// Runtime: what one rendering owns and may spend. Objects live here until it ends; steps, bytes and depth are counted,
// and what exceeds a limit is a Fault before it is made.

#include <chrono>
#include <ctime>
#include <memory>
#include <vector>

#include "core/limits.h"
#include "text/template/fault.h"
#include "text/template/value.h"

namespace braid::jinja {

class Runtime {
 public:
  Runtime(const TemplateLimits& limits, const std::tm& now) : limits_(limits), now_(now) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  template <class T, class... Arguments>
  T& make(Arguments&&... arguments) {
    hold(sizeof(T) + kOverhead);
    auto owned = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    T& object = *owned;
    objects_.push_back(std::move(owned));
    return object;
  }

  Value string(Text text, bool markup = false);
  Value string(std::string bytes, Origin origin = Origin::data) { return string(Text(std::move(bytes), origin)); }
  Value list(std::vector<Value> items) { return sequence(Kind::list, std::move(items)); }
  Value tuple(std::vector<Value> items) { return sequence(Kind::tuple, std::move(items)); }
  Value view(std::string_view name, std::vector<Value> items);
  Value range(Integer start, Integer stop, Integer step);
  Value iterator(std::function<std::vector<Value>()> produce);
  Value undefined(const std::string& message, bool unsafe = false);

  /// Counts work: throws Fault when more than limits.max_steps were spent.
  void spend(uint64_t steps);
  /// Counts bytes that live until the end.
  void hold(uint64_t bytes);
  /// Throws Fault when a string of so many bytes may not exist.
  void check_size(uint64_t bytes) const;

  const TemplateLimits& limits() const { return limits_; }
  const std::tm& now() const { return now_; }

  /// Counts how deep calls and expressions are within each other.
  class Deeper {
   public:
    explicit Deeper(Runtime& runtime);
    ~Deeper() { --runtime_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Runtime& runtime_;
  };

  static constexpr uint64_t kOverhead = 64;  // what an allocation takes besides

 private:
  Value sequence(Kind kind, std::vector<Value> items);

  const TemplateLimits& limits_;
  const std::tm& now_;
  uint64_t steps_ = 0, held_ = 0;
  std::shared_ptr<uint64_t> text_bytes_ = std::make_shared<uint64_t>(0);  // of the strings alive
  uint32_t depth_ = 0;
  std::vector<std::unique_ptr<Object>> objects_;
};

}  // namespace braid::jinja
