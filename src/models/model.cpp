#include "models/model.h"

#include <algorithm>
#include <memory>
#include <set>

#include "core/error.h"
#include "models/family.h"
#include "models/names.h"

namespace braid {
namespace {

constexpr Family kFamilies[] = {
#define FAMILY(model_type) {#model_type, model_type##_family},
#include "models/list.inc"
#undef FAMILY
};

const Family& family_of(Config config) {
  const std::string type = config.model_type();
  const Family* found = find_family(type);
  std::vector<std::string_view> known;
  for (const Family& family : kFamilies) known.push_back(&family == found ? type : family.model_type);
  const std::vector<std::string> names(known.begin(), known.end());
  const std::vector<std::string> near = near_names(type, names);
  if (!near.empty() && std::ranges::find(known, type) == known.end())
    config.fail("model_type", "unknown model type \"" + type + "\"",
                "of the families that Braid knows, the nearest is " + join(near) +
                    (config.has("auto_map") ? "; the code that comes with a checkpoint (auto_map) is never run" : ""));
  config.require_known(known);
  return *found;
}

/// Weights that another program quantised have tensors of its own making.
void refuse_quantised(const Config& config) {
  if (!config.has("quantization_config")) return;
  const Config how = config.section("quantization_config");
  const std::string method = how.string_or("quant_method", "");
  how.fail("quant_method", "weights quantised by \"" + method + "\" are not supported",
           "take the checkpoint that is not quantised");
}

/// A table that differs in its rows alone, where the config has the vocabulary: then the config says it wrongly.
bool is_of_other_vocabulary(const TensorShapeError& error, int64_t vocabulary) {
  const Shape &found = error.found(), &expected = error.expected();
  return found.size() == expected.size() && !found.empty() && expected[0] == Dim(vocabulary) &&
         found[0] != expected[0] && std::equal(found.begin() + 1, found.end(), expected.begin() + 1);
}

Graph build(const Blueprint& blueprint, const TensorIndex& tensors, std::string_view name,
            const EntryOptions& options) {
  const auto entry = std::ranges::find(blueprint.entries, name, &Entry::name);
  if (entry == blueprint.entries.end())
    throw UsageError(blueprint.architecture + " has no entry \"" + std::string(name) + "\"");
  Builder builder;
  entry->build(Scope(builder, tensors, blueprint.renames), Step(builder, options));
  return builder.finish();
}

/// Leaves of a class what is below its head.
void take_features(const Config& config, Blueprint& blueprint) {
  if (blueprint.features) {
    blueprint.entries = {*std::move(blueprint.features)};
    blueprint.stale.insert(blueprint.stale.end(), blueprint.head.begin(), blueprint.head.end());
  } else if (blueprint.entries.size() != 1 || blueprint.entries.front().name != "forward") {
    config.fail("architectures", blueprint.architecture + " has no features of texts");
  }
}

}  // namespace

std::vector<int32_t> default_positions(const Model& model, std::span<const int32_t> token_ids) {
  std::vector<int32_t> positions(token_ids.size());
  const std::optional<int32_t> padding = model.position_padding;
  int32_t next = padding ? *padding + 1 : 0;
  for (size_t i = 0; i < positions.size(); ++i) positions[i] = padding && token_ids[i] == *padding ? *padding : next++;
  return positions;
}

const Family* find_family(std::string_view model_type) {
  std::string id(model_type);
  std::ranges::replace(id, '-', '_');
  const auto found = std::ranges::find(kFamilies, id, &Family::model_type);
  return found == std::end(kFamilies) ? nullptr : found;
}

std::span<const Family> families() { return kFamilies; }

Model make_model(const Config& config, TensorIndex tensors, Purpose purpose) {
  const Family& family = family_of(config);
  refuse_quantised(config);
  Blueprint made = family.make(config);
  if (purpose == Purpose::features) take_features(config, made);
  const auto blueprint = std::make_shared<const Blueprint>(std::move(made));
  const auto index = std::make_shared<const TensorIndex>(std::move(tensors));
  Model model{.family = config.model_type(),
              .architecture = blueprint->architecture,
              .entries = {},
              .vocabulary = blueprint->vocabulary,
              .max_positions = blueprint->max_positions,
              .position_padding = blueprint->position_padding,
              .default_context = blueprint->default_context,
              .spellings = [blueprint](const std::string& name) { return spellings(name, blueprint->renames); },
              .build =
                  [blueprint, index, config](std::string_view entry, const EntryOptions& options) {
                    try {
                      return build(*blueprint, *index, entry, options);
                    } catch (const TensorShapeError& error) {
                      if (!is_of_other_vocabulary(error, blueprint->vocabulary)) throw;
                      config.fail("vocab_size",
                                  "the vocabulary of " + std::to_string(blueprint->vocabulary) + " is not the " +
                                      std::to_string(error.found()[0].number()) + " rows of " + error.place().field,
                                  error.advice());
                    }
                  },
              .stale = blueprint->stale};
  for (const Entry& entry : blueprint->entries) model.entries.push_back(entry.name);
  return model;
}

void check_tensors(const Model& model, std::span<const Graph* const> graphs, const TensorIndex& tensors) {
  std::set<std::string_view> read;
  for (const Graph* graph : graphs)
    for (const uint32_t n : graph->parameters()) read.insert(graph->node(n).attrs.text("name"));
  std::vector<std::string> unread, shown;
  for (const std::string& name : tensors.names) {
    const auto matches_name = [&](const std::string& pattern) { return matches(pattern, name); };
    if (!read.contains(name) && std::ranges::none_of(model.stale, matches_name)) unread.push_back(name);
  }
  if (unread.empty()) return;
  constexpr size_t kShown = 5;
  for (const std::string& name : std::span(unread).first(std::min(unread.size(), kShown))) {
    const std::optional<Type> type = tensors.find(name);
    shown.push_back(name + (type ? " " + to_string(*type) : ""));
  }
  if (unread.size() > kShown) shown.push_back(std::to_string(unread.size() - kShown) + " more");
  const std::vector<std::string> near = near_names(unread.front(), std::vector<std::string>(read.begin(), read.end()));
  throw Error(model.architecture + " does not read what the checkpoint has: " + join(shown),
              {.file = tensors.file, .field = unread.front(), .offset = {}},
              (near.empty() ? "" : "it reads " + join(near) + ": ") +
                  std::string("take the config.json that belongs to this checkpoint"));
}

std::string architecture(const Config& config, const std::vector<std::string_view>& known) {
  const std::vector<std::string> named = config.strings("architectures");
  if (named.empty()) return std::string(known.front());
  for (const std::string& name : named)
    if (std::ranges::find(known, name) != known.end()) return name;
  const std::vector<std::string> list(known.begin(), known.end());
  config.fail("architectures", "the architecture " + named.front() + " is not supported",
              "for model_type " + config.model_type() + " there is " + join(list));
}

std::string activation_name(const Config& config, std::string_view key) {
  std::string name = config.string_at(key);
  check_activation(config, key, name);
  return name;
}

void check_activation(const Config& config, std::string_view key, std::string_view name) {
  Builder scratch;
  try {
    activation(name, scratch.scalar(0));
  } catch (const Error& error) {
    config.fail(key, error.message(), error.advice());
  }
}

void refuse(const Config& config, std::string_view key) {
  const auto value = config.find(key);
  if (!value) return;
  std::string text = "set";
  switch (value->kind()) {
    case Json::Kind::boolean:
      if (!value->as_bool()) return;
      text = "true";
      break;
    case Json::Kind::integer:
    case Json::Kind::real:
      if (value->as_double() == 0) return;
      text = JsonWriter().value(value->as_double()).text();
      break;
    case Json::Kind::string:
      text = '"' + std::string(value->as_string()) + '"';
      break;
    default:
      break;
  }
  config.fail(key, std::string(key) + " is " + text + ", which this family's graph does not have");
}

int64_t label_count(const Config& config) {
  const size_t labels = config.labels().size();
  return labels > 0 ? static_cast<int64_t>(labels) : config.size_or("num_labels", 2);
}

}  // namespace braid
