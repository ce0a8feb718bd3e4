#pragma once
// Arrays of megabytes in huge pages: what is filled once and read once costs a page fault per 2 MiB, not per 4 KiB.
// Loading a large tokenizer spent a third of its time in such faults.

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace braid {

inline constexpr size_t kHugePage = 2u << 20;  ///< bytes

/// Asks the system for huge pages where whole ones lie within [data, data + bytes). A wish: nothing depends on it.
void prefer_huge_pages(void* data, size_t bytes) noexcept;

/// std::allocator, but arrays of at least one huge page prefer huge pages, and `resize` leaves numbers and characters
/// as they are, for who overwrites them at once.
template <class T>
struct LargePages {
  using value_type = T;
  LargePages() = default;
  template <class U>
  LargePages(const LargePages<U>&) noexcept {}  // NOLINT: implicit, as allocators must be

  T* allocate(size_t count) {
    if (count > SIZE_MAX / sizeof(T)) throw std::bad_array_new_length();
    const size_t bytes = count * sizeof(T);
    if (bytes < kHugePage) return static_cast<T*>(::operator new(bytes));
    void* data = ::operator new(bytes, std::align_val_t(kHugePage));
    prefer_huge_pages(data, bytes);
    return static_cast<T*>(data);
  }
  void deallocate(T* data, size_t count) noexcept {
    if (count * sizeof(T) < kHugePage)
      ::operator delete(data);
    else
      ::operator delete(data, std::align_val_t(kHugePage));
  }
  template <class U>
  void construct(U* at) noexcept(noexcept(U())) {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Args>
  void construct(U* at, Args&&... args) {
    std::construct_at(at, std::forward<Args>(args)...);
  }
  bool operator==(const LargePages&) const { return true; }
};

template <class T>
using LargeVector = std::vector<T, LargePages<T>>;

}  // namespace braid
