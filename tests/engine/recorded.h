#pragma once
// Cases that transformers answered (tests/kit/data/generation): their options as settings.

#include <string>

#include "engine/models.h"
#include "files/generation_config.h"
#include "tasks/settings.h"

namespace braid::test {

inline const char* const kRecorded = "data/generation/";

/// The member "options" of a case, read as a generation_config.json is.
inline GenerationConfig recorded_settings(Json options) {
  JsonWriter json;
  const auto write = [&](auto&& self, Json value) -> void {
    switch (value.kind()) {
      case Json::Kind::boolean:
        json.value(value.as_bool());
        break;
      case Json::Kind::integer:
        json.value(value.as_int());
        break;
      case Json::Kind::real:
        json.value(value.as_double());
        break;
      case Json::Kind::string:
        json.value(value.as_string());
        break;
      case Json::Kind::array:
        json.begin_array();
        for (size_t i = 0; i < value.size(); ++i) self(self, value[i]);
        json.end_array();
        break;
      case Json::Kind::object:
        json.begin_object();
        for (size_t i = 0; i < value.size(); ++i) {
          json.key(value.key(i));
          self(self, value[i]);
        }
        json.end_object();
        break;
      case Json::Kind::null:
        json.null();
    }
  };
  write(write, options);
  const Config config = Config::parse(json.text(), "options");
  return GenerationConfig::from(&config, config);
}

inline std::vector<std::vector<int32_t>> lists_of(Json lists) {
  std::vector<std::vector<int32_t>> out;
  for (size_t i = 0; i < lists.size(); ++i) out.push_back(ids_of(lists[i]));
  return out;
}

}  // namespace braid::test
