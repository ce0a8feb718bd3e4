// ResNet (arXiv:1512.03385), in version 1.5 unless the config says otherwise. Batch norms are folded into the
// convolutions before them by parameter expressions: w · γ/√(σ² + ε) and β - μ · γ/√(σ² + ε).

#include <algorithm>

#include "models/family.h"

namespace braid {
namespace {

constexpr double kEpsilon = 1e-5;  // torch's default, which ResNet configs do not name
constexpr int64_t kReduction = 4;  // how much narrower the middle of a bottleneck is

constexpr std::string_view kDefaults = R"({
  "num_channels": 3, "embedding_size": 64, "hidden_sizes": [256, 512, 1024, 2048], "depths": [3, 4, 6, 3],
  "layer_type": "bottleneck", "hidden_act": "relu"})";

struct ResNet {
  explicit ResNet(const Config& c)
      : channels(c.size_at("num_channels")),
        stem(c.size_at("embedding_size")),
        widths(c.ints_at("hidden_sizes", kSizeRange)),
        depths(c.ints_at("depths", {1, static_cast<int64_t>(c.limits().max_layers)})),
        labels(label_count(c)),
        activation(activation_name(c, "hidden_act")),
        bottleneck(c.string_at("layer_type") == "bottleneck"),
        downsample_first_stage(c.bool_or("downsample_in_first_stage", false)),
        downsample_in_bottleneck(c.bool_or("downsample_in_bottleneck", false)) {
    if (widths.empty()) c.fail("hidden_sizes", "there is no stage");
    if (bottleneck && std::ranges::min(widths) < kReduction) c.fail("hidden_sizes", "a bottleneck has no width");
    if (widths.size() != depths.size()) c.fail("depths", "there is not one depth per hidden size");
    if (!bottleneck && c.string_at("layer_type") != "basic") c.fail("layer_type", "a layer is basic or bottleneck");
  }

  int64_t channels, stem;
  std::vector<int64_t> widths, depths;
  int64_t labels;
  std::string activation;
  bool bottleneck, downsample_first_stage, downsample_in_bottleneck;
};

struct Shape2d {
  int64_t out, kernel, stride;
};

/// Convolution and batch norm: x (batch, in, height, width) → (batch, out, height / stride, width / stride).
Value conv_norm(const Scope& s, Value x, const Shape2d& how) {
  const Within here(s);
  const Scope n = s["normalization"];
  const auto statistic = [&](std::string_view name) { return n.floats(name, {how.out}); };
  const Value scale = statistic("weight") * rsqrt(statistic("running_var") + kEpsilon);
  const Value shift = statistic("bias") - statistic("running_mean") * scale;
  const Value weight = s["convolution"].floats("weight", {how.out, x.dim(1), how.kernel, how.kernel});
  const int64_t padding = how.kernel / 2;
  const Value y = conv(x, weight * reshape(scale, {how.out, 1, 1, 1}),
                       {.stride = {how.stride, how.stride}, .padding = {padding, padding}});
  return add_channels(y, shift);
}

Value layer(const Scope& s, const ResNet& c, Value x, int64_t width, int64_t stride) {
  const Within here(s);
  const Scope l = s["layer"];
  const auto step = [&](int64_t i, Value y, const Shape2d& how) {
    return activation(c.activation, conv_norm(l[i], y, how));
  };
  const bool project = x.dim(1) != Dim(width) || stride != 1;
  const Value shortcut = project ? conv_norm(s["shortcut"], x, {.out = width, .kernel = 1, .stride = stride}) : x;
  if (c.bottleneck) {
    const int64_t narrow = width / kReduction;
    const int64_t first = c.downsample_in_bottleneck ? stride : 1;
    x = step(0, x, {.out = narrow, .kernel = 1, .stride = first});
    x = step(1, x, {.out = narrow, .kernel = 3, .stride = stride / first});
    x = conv_norm(l[2], x, {.out = width, .kernel = 1, .stride = 1});
  } else {
    x = step(0, x, {.out = width, .kernel = 3, .stride = stride});
    x = conv_norm(l[1], x, {.out = width, .kernel = 3, .stride = 1});
  }
  return activation(c.activation, x + shortcut);
}

Value backbone(const Scope& s, const ResNet& c, const Step& t) {  // → (batch, widths.back(), height / 32, width / 32)
  HiddenStates hidden(t, "hidden");
  Value x = media(t, "pixel_values", {c.channels, 224, 224}, 1);
  x = conv_norm(s["embedder"]["embedder"], x, {.out = c.stem, .kernel = 7, .stride = 2});
  x = reduce_window(activation(c.activation, x), "max", {.size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
  hidden.add(x);
  for (size_t i = 0; i < c.widths.size(); ++i) {
    const Scope layers = s["encoder"]["stages"][static_cast<int64_t>(i)]["layers"];
    for (int64_t j = 0; j < c.depths[i]; ++j) {
      const bool downsample = j == 0 && (i > 0 || c.downsample_first_stage);
      x = layer(layers[j], c, x, c.widths[i], downsample ? 2 : 1);
    }
    hidden.add(x);
  }
  return x;
}

/// x (batch, channels, height, width) → (batch, channels).
Value pool(Value x) { return mean(reshape(x, {x.dim(0), x.dim(1), x.dim(2).number() * x.dim(3).number()}), -1); }

}  // namespace

Blueprint resnet_family(const Config& given) {
  const Config config = given.with_defaults(kDefaults);
  const std::string name = architecture(config, {"ResNetForImageClassification", "ResNetModel"});
  const ResNet c(config);
  const auto forward = [c, classifies = name != "ResNetModel"](const Scope& root, const Step& t) {
    const Value x = backbone(root["resnet"], c, t);
    const Value pooled = pool(x);
    if (classifies) return t.builder().output("logits", root["classifier"].project("1", pooled, c.labels, kBias));
    t.builder().output("last_hidden_state", x);
    t.builder().output("pooler_output", reshape(pooled, {x.dim(0), x.dim(1), 1, 1}));
  };
  return {.architecture = name,
          .entries = {{"forward", forward}},
          .renames = {{"resnet.", ""}},
          .stale = {"*.num_batches_tracked"}};
}

}  // namespace braid
