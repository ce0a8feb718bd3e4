#pragma once
// The flags of one command: declared, parsed, and explained by --help. CLI11 does the splitting (flags.cpp is the one
// file that sees it); conversion and messages are uniform here.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace braid::cli {

/// Bounds of a number, both included.
struct Bounds {
  double least = -1e18, most = 1e18;
};

class Flags {
 public:
  /// `usage`: "braid tokenize"; `summary` and `example` for --help.
  Flags(std::string usage, std::string_view summary, std::string_view example);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  /// Names are "--text", or "-O,--optimize". `help` is one line; "VALUE: …" names the value ("FILE: read the text from
  /// it").
  void on_off(std::string_view names, bool& target, std::string_view help);
  void text(std::string_view names, std::string& target, std::string_view help);
  void text(std::string_view names, std::optional<std::string>& target, std::string_view help);
  /// Every value of a flag that may be repeated.
  void texts(std::string_view names, std::vector<std::string>& target, std::string_view help);
  void integer(std::string_view names, int64_t& target, std::string_view help, Bounds bounds);
  void integer(std::string_view names, std::optional<int64_t>& target, std::string_view help, Bounds bounds);
  void real(std::string_view names, std::optional<double>& target, std::string_view help, Bounds bounds);
  /// "1,2,3".
  void ids(std::string_view names, std::optional<std::vector<int32_t>>& target, std::string_view help);
  /// "512M", "4G", "1000": bytes, with binary units.
  void size(std::string_view names, std::optional<uint64_t>& target, std::string_view help);
  /// Any other conversion; `take` may throw UsageError.
  void value(std::string_view names, std::function<void(const std::string&)> take, std::string_view help);
  /// The positional argument; with a default it may be left out.
  void positional(std::string_view name, std::string& target, std::string_view help,
                  std::optional<std::string> otherwise = std::nullopt);
  /// Flags that are declared after this stand under a heading of --help.
  void heading(std::string_view title);

  /// Throws UsageError: an unknown flag (with the nearest name), a missing or wrong value, a second positional.
  /// Returns false when --help was asked.
  bool parse(std::span<const std::string> arguments);
  /// Whether the flag was given ("--text").
  bool given(std::string_view name) const;
  std::string help() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Numbers as flags take them: the whole text, within bounds; UsageError naming `field` otherwise.
int64_t parse_integer(std::string_view field, std::string_view text, Bounds bounds);
double parse_real(std::string_view field, std::string_view text, Bounds bounds);
std::vector<int32_t> parse_ids(std::string_view field, std::string_view text);
uint64_t parse_size(std::string_view field, std::string_view text);

}  // namespace braid::cli
