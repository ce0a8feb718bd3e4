#pragma once
// Pools of pages: which are free, how many sequences share each of the others, and what is copied between steps.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace braid {

/// The pools of pages, by what the layers whose states lie there can see.
enum class PageGroup : uint8_t { context, window };
inline constexpr size_t kPageGroups = 2;

/// What must be copied before a step. No copy writes what another one reads.
struct Copies {
  struct Copy {
    int32_t from, to;
    bool operator==(const Copy&) const = default;
  };
  std::array<std::vector<Copy>, kPageGroups> pages;
  std::vector<Copy> slots;
  bool empty() const { return pages[0].empty() && pages[1].empty() && slots.empty(); }
};

/// What the pool of windows must hold.
struct WindowNeeds {
  int64_t sequences, window, step_tokens, page_size, context;
};
/// Pages that sequences need in any step of so many tokens: those that the window touches, and those of the step.
int64_t window_pages(const WindowNeeds& needs);

/// The pages of one pool.
class PagePool {
 public:
  explicit PagePool(int64_t pages);

  size_t free() const { return free_.size(); }
  /// A page with one owner. There must be a free one.
  int32_t take();
  /// One owner more.
  void share(int32_t page) { ++owners_[static_cast<size_t>(page)]; }
  /// One owner less; the last one frees it.
  void release(int32_t page);
  int32_t owners(int32_t page) const { return owners_[static_cast<size_t>(page)]; }

 private:
  std::vector<int32_t> free_;  // the last one is taken next: low numbers first
  std::vector<int32_t> owners_;
};

}  // namespace braid
