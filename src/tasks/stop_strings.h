#pragma once
// Stop strings over streamed text: what may be the beginning of one is held back until it is clear.

#include <string>
#include <string_view>
#include <vector>

namespace braid {

class StopStrings {
 public:
  /// Throws UsageError for an empty string, which would stop everything.
  explicit StopStrings(std::vector<std::string> stops);

  /// The text that may be shown now. After a stop string was completed nothing more is: what came before it was the
  /// end. Of several that end here, the one that begins first counts.
  std::string push(std::string_view text);
  /// The end of the stream: what was held back was no stop string after all.
  std::string flush();
  bool stopped() const { return stopped_; }
  /// The stop string that ended the text; empty while none did.
  const std::string& found() const { return found_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;  // not shown yet
  std::string found_;
  bool stopped_ = false;
};

}  // namespace braid
