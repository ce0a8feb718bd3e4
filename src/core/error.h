#pragma once
// Errors with a place. Thrown at the edges only (load, compile, request); `run` of an executable never throws.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace braid {

/// Where bad input was found: any part may be missing.
struct Place {
  std::string file;                ///< path as the user gave it
  std::string field;               ///< tensor name, JSON path, flag, graph node …
  std::optional<uint64_t> offset;  ///< byte offset in `file`
};

/// The one exception type for bad input and failed work. `line()` is what the program prints after "braid: error: ".
class Error : public std::runtime_error {
 public:
  explicit Error(std::string what, Place place = {}, std::string advice = {});

  const std::string& message() const noexcept { return message_; }
  const Place& place() const noexcept { return place_; }
  const std::string& advice() const noexcept { return advice_; }
  /// "WHAT (FILE, FIELD, offset N) — what to do"; parts that are empty are left out. The same as `what()`.
  std::string line() const { return what(); }

 private:
  std::string message_;
  Place place_;
  std::string advice_;
};

/// Wrong usage of the command line or of the API: exit status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// A graph that does not fit together; the message names operand and dimension.
class ShapeError : public Error {
 public:
  using Error::Error;
};

}  // namespace braid
