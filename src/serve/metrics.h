#pragma once
// What is counted while serving, in Prometheus' text format (version 0.0.4).

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace braid::serve {

struct Gauge {
  std::string_view name, help;
  uint64_t value = 0;
  bool counter = false;  ///< only grows: the name ends in _total
};

/// Any thread.
class Metrics {
 public:
  void request(std::string_view route, int status);
  void first_token(double seconds);
  void next_token(double seconds);
  void prompt(uint64_t tokens);
  /// The whole page; `gauges` are read when it is asked for.
  std::string text(std::string_view model, const std::initializer_list<Gauge>& gauges) const;

 private:
  static constexpr std::array kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                         0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0};
  struct Histogram {
    std::array<uint64_t, kBounds.size() + 1> counts = {};
    double sum = 0;
    void add(double seconds);
    void write(std::string& page, std::string_view name, std::string_view help, const std::string& labels) const;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, uint64_t> requests_;
  Histogram first_, next_;
  uint64_t prompt_tokens_ = 0;
};

}  // namespace braid::serve
