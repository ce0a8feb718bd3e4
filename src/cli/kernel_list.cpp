#include "cli/kernel_list.h"

#include <algorithm>
#include <cstdio>

namespace braid::cli {

std::string text_of(const std::vector<cpu::KernelDescription>& kernels) {
  size_t name = 0, op = 0;
  for (const cpu::KernelDescription& k : kernels) {
    name = std::max(name, k.name.size() + 2);
    op = std::max(op, k.op.size() + 2);
  }
  std::string text;
  for (const cpu::KernelDescription& k : kernels) {
    char time[32];
    std::snprintf(time, sizeof time, "×%-6.3g", k.relative_time);
    text += k.name + std::string(name - k.name.size(), ' ') + k.op + std::string(op - k.op.size(), ' ') + time + " " +
            (k.needs.empty() ? "" : (k.available ? "needs " : "not here: needs ") + k.needs + "; ") +
            (k.order.empty() ? "" : "order: " + k.order) + "\n";
  }
  return text;
}

void write(JsonWriter& json, const std::vector<cpu::KernelDescription>& kernels) {
  json.key("kernels").begin_array();
  for (const cpu::KernelDescription& k : kernels) {
    json.begin_object().member("name", k.name).member("op", k.op).member("order", k.order).member("needs", k.needs);
    json.member("relative_time", k.relative_time).member("available", k.available).end_object();
  }
  json.end_array();
}

}  // namespace braid::cli
