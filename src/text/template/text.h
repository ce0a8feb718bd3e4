#pragma once
// Text: a string that remembers who wrote each part of it, the template or the data. What is rendered becomes token ids
// with that knowledge: special tokens count where the template wrote them, and are plain text where a user did.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace braid::jinja {

enum class Origin : uint8_t { data, literal };

/// Bytes up to `end` (from where the run before ended) come from `origin`.
struct Run {
  uint32_t end;
  Origin origin;
};

/// UTF-8. Neighbouring runs differ; the last one ends with the text.
class Text {
 public:
  Text() = default;
  Text(std::string bytes, Origin origin) : bytes_(std::move(bytes)) { mark(origin); }

  const std::string& bytes() const { return bytes_; }
  std::string_view view() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  const std::vector<Run>& runs() const { return runs_; }

  void append(std::string_view bytes, Origin origin) {
    bytes_ += bytes;
    mark(origin);
  }
  void append(const Text& other) { append(other, 0, other.size()); }
  /// Bytes [begin, end) of another text, with their origins.
  void append(const Text& other, size_t begin, size_t end);
  Text slice(size_t begin, size_t end) const {
    Text part;
    part.append(*this, begin, end);
    return part;
  }
  /// Whose a text is that was computed from this one as a whole: the template's only if all of this one is.
  Origin origin() const {
    return runs_.size() == 1 && runs_[0].origin == Origin::literal ? Origin::literal : Origin::data;
  }

 private:
  /// All bytes behind the last run come from `origin`.
  void mark(Origin origin) {
    const auto end = static_cast<uint32_t>(bytes_.size());
    if (end == (runs_.empty() ? 0 : runs_.back().end)) return;
    if (!runs_.empty() && runs_.back().origin == origin)
      runs_.back().end = end;
    else
      runs_.push_back({end, origin});
  }

  std::string bytes_;
  std::vector<Run> runs_;
};

using TextPtr = std::shared_ptr<const Text>;

}  // namespace braid::jinja
