#pragma once
// What a family file gives: a Blueprint of its config. models/list.inc names the families.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/blocks/attention.h"
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/inputs.h"
#include "models/blocks/mixture.h"
#include "models/blocks/mlp.h"
#include "models/blocks/norm.h"
#include "models/blocks/outputs.h"
#include "models/blocks/relative.h"
#include "models/blocks/rotary.h"

namespace braid {

/// A named graph of a family: appends its nodes, outputs and states. `root` finds the tensors.
struct Entry {
  std::string name;  ///< "decode", "encode", "forward"
  std::function<void(const Scope& root, const Step& t)> build;
};

/// A family at the sizes of one config. Independent of any checkpoint: tensors are met through the scopes only.
struct Blueprint {
  std::string architecture;  ///< as in Model
  std::vector<Entry> entries;
  int64_t vocabulary = 0;                        ///< as in Model
  int64_t max_positions = 0;                     ///< as in Model
  std::optional<int32_t> position_padding = {};  ///< as in Model
  int64_t default_context = 0;                   ///< as in Model
  std::vector<Rename> renames = {};              ///< other spellings of the tensors' names
  /// The entry for Purpose::features, where it is another than the class's own, and the tensors that it leaves unread.
  std::optional<Entry> features = {};
  std::vector<std::string> head = {};
  std::vector<std::string> stale = {};  ///< patterns of tensors that may lie in a file unread
};

/// The class named by the config's `architectures`, or the first of `known` when it names none. Throws Error naming
/// the field when it is not one of `known`.
std::string architecture(const Config& config, const std::vector<std::string_view>& known);
/// The activation that the config names under `key`. Throws Error naming the field when there is no such activation.
std::string activation_name(const Config& config, std::string_view key);
/// Throws Error naming the field `key` when there is no activation of this name.
void check_activation(const Config& config, std::string_view key, std::string_view name);
/// Throws Error naming `key` and its value when the config sets it to anything but null, false or 0: a feature that the
/// family does not have.
void refuse(const Config& config, std::string_view key);
/// Labels of a classifier: entries of id2label, else num_labels, else 2 (transformers' default).
int64_t label_count(const Config& config);

#define FAMILY(model_type) Blueprint model_type##_family(const Config& config);
#include "models/list.inc"
#undef FAMILY

}  // namespace braid
