#include "core/error.h"

namespace braid {
namespace {

std::string compose(const std::string& what, const Place& place, const std::string& advice) {
  std::string where;
  auto part = [&](const std::string& text) {
    if (text.empty()) return;
    if (!where.empty()) where += ", ";
    where += text;
  };
  part(place.file);
  part(place.field);
  if (place.offset) part("offset " + std::to_string(*place.offset));
  std::string line = what;
  if (!where.empty()) line += " (" + where + ")";
  if (!advice.empty()) line += " — " + advice;
  return line;
}

}  // namespace

Error::Error(std::string what, Place place, std::string advice)
    : std::runtime_error(compose(what, place, advice)),
      message_(std::move(what)),
      place_(std::move(place)),
      advice_(std::move(advice)) {}

}  // namespace braid
