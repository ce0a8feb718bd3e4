#include "serve/metrics.h"

#include <algorithm>
#include <cstdio>

namespace braid::serve {
namespace {

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string escaped(std::string_view label) {
  std::string out;
  for (const char c : label) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

void head(std::string& page, std::string_view name, std::string_view help, std::string_view type) {
  page.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ");
  page.append(type).append("\n");
}

void sample(std::string& page, std::string_view name, const std::string& labels, const std::string& value) {
  page.append(name).append("{").append(labels).append("} ").append(value).append("\n");
}

}  // namespace

void Metrics::request(std::string_view route, int status) {
  const std::lock_guard lock(mutex_);
  ++requests_[{std::string(route), status}];
}

void Metrics::first_token(double seconds) {
  const std::lock_guard lock(mutex_);
  first_.add(seconds);
}

void Metrics::next_token(double seconds) {
  const std::lock_guard lock(mutex_);
  next_.add(seconds);
}

void Metrics::prompt(uint64_t tokens) {
  const std::lock_guard lock(mutex_);
  prompt_tokens_ += tokens;
}

void Metrics::Histogram::add(double seconds) {
  ++counts[static_cast<size_t>(std::ranges::lower_bound(kBounds, seconds) - kBounds.begin())];
  sum += seconds;
}

void Metrics::Histogram::write(std::string& page, std::string_view name, std::string_view help,
                               const std::string& labels) const {
  head(page, name, help, "histogram");
  uint64_t below = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    const std::string bound = i < kBounds.size() ? number(kBounds[i]) : "+Inf";
    sample(page, std::string(name) + "_bucket", labels + ",le=\"" + bound + "\"", std::to_string(below));
  }
  sample(page, std::string(name) + "_sum", labels, number(sum));
  sample(page, std::string(name) + "_count", labels, std::to_string(below));
}

std::string Metrics::text(std::string_view model, const std::initializer_list<Gauge>& gauges) const {
  const std::string labels = "model_name=\"" + escaped(model) + "\"";
  std::string page;
  for (const Gauge& gauge : gauges) {
    head(page, gauge.name, gauge.help, gauge.counter ? "counter" : "gauge");
    sample(page, gauge.name, labels, std::to_string(gauge.value));
  }
  const std::lock_guard lock(mutex_);
  head(page, "braid_prompt_tokens_total", "Tokens of prompts that were taken.", "counter");
  sample(page, "braid_prompt_tokens_total", labels, std::to_string(prompt_tokens_));
  head(page, "braid_requests_total", "Answered requests by route and status.", "counter");
  for (const auto& [key, count] : requests_)
    sample(page, "braid_requests_total",
           labels + ",route=\"" + escaped(key.first) + "\",status=\"" + std::to_string(key.second) + "\"",
           std::to_string(count));
  first_.write(page, "braid_time_to_first_token_seconds", "From a request's arrival to its first token.", labels);
  next_.write(page, "braid_inter_token_seconds", "Between two tokens of a text.", labels);
  return page;
}

}  // namespace braid::serve
