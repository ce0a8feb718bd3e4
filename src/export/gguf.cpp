#include "export/gguf.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "backend/cpu/backend.h"
#include "core/error.h"
#include "export/gguf_metadata.h"
#include "models/names.h"
#include "ops/ops.h"
#include "tasks/load.h"
#include "tasks/sources.h"
#include "text/chat.h"

namespace braid {
namespace {

const GgufArchitecture& row_of(const Config& config) {
  std::string known;
  for (const GgufArchitecture& row : gguf_architectures()) {
    if (row.model_type == config.model_type()) return row;
    known += " " + std::string(row.model_type);
  }
  config.fail("model_type", "GGUF files of " + config.model_type() + " are not written", "known:" + known);
}

/// The family's own names of all parameters, in the order of the graphs.
std::vector<std::string> parameter_names(const Model& model) {
  std::vector<std::string> names;
  for (const std::string& entry : model.entries) {
    const Graph graph = model.build(entry, {});
    for (const uint32_t n : graph.parameters())
      if (const std::string& name = graph.node(n).attrs.text("name"); std::ranges::find(names, name) == names.end())
        names.push_back(name);
  }
  return names;
}

Model shapes_only(const Config& config) {
  return make_model(config, {.file = config.file(), .names = {}, .find = {}, .expression = {}, .random = Format::f32});
}

std::string graphs_text(const Config& config) {
  const Model model = shapes_only(config);
  std::string text;
  for (const std::string& entry : model.entries) text += print(model.build(entry, {}));
  return text;
}

/// Rows of each head's halves as pairs (i, i + d/2).
Value pairs_of_halves(Value x, int64_t heads) {
  const Shape shape = x.type().shape;
  Shape halves{heads, 2, shape[0].number() / heads / 2};
  std::vector<int64_t> order{0, 2, 1};
  for (size_t i = 1; i < shape.size(); ++i) {
    halves.push_back(shape[i]);
    order.push_back(static_cast<int64_t>(order.size()));
  }
  return reshape(transpose(reshape(x, halves), order), shape);
}

/// Tensors that llama.cpp wants in f32: vectors, norms, positions, segments and routers.
bool is_small(std::string_view name, size_t rank) {
  return rank < 2 || name.ends_with("_norm.weight") || name.starts_with("position_embd") ||
         name.starts_with("token_types") || name.ends_with("ffn_gate_inp.weight");
}

class Exporter {
 public:
  explicit Exporter(const ExportOptions& options)
      : options_(options),
        loaded_(load_model({.model = options.model, .device = "cpu"})),
        row_(row_of(loaded_.config)),
        index_(index_of(loaded_.checkpoint)),
        run_(make_backend({.device = "cpu"})->load_runner()),
        source_(std::make_shared<CheckpointSource>(loaded_.checkpoint)) {}

  Exported run() {
    write_gguf_config(out_, row_, loaded_.config);
    write_tokens();
    write_vocabulary();
    write_template();
    for (const RopeFactors& factors : gguf_rope_factors(row_, loaded_.config)) {
      const Tensor tensor = Tensor::of({static_cast<int64_t>(factors.values.size())}, factors.values);
      out_.tensor(factors.name, tensor.shape, Format::f32, [tensor] { return tensor; });
      ++result_.tensors;
    }
    for (const auto& [name, parts] : grouped()) add(name, parts);
    out_.write(options_.output, options_.progress);
    check();
    result_.bytes = std::filesystem::file_size(options_.output);
    return result_;
  }

 private:
  struct Part {
    std::string name;  ///< as the source's index knows it
    GgufArrangement arrangement;
    int64_t expert;
  };

  /// The source's tensors by the name that they get, in the order of the graphs.
  std::vector<std::pair<std::string, std::vector<Part>>> grouped() {
    const Model model = shapes_only(loaded_.config);
    std::vector<std::pair<std::string, std::vector<Part>>> groups;
    for (const std::string& ours : parameter_names(model)) {
      std::string found;
      for (const std::string& spelling : model.spellings(ours))
        if (found.empty() && index_.find(spelling)) found = spelling;
      if (found.empty()) continue;  // a part that files may lack
      const auto place = gguf_place(row_, ours);
      if (!place) {
        if (std::ranges::none_of(model.stale, [&](const std::string& pattern) { return matches(pattern, ours); }))
          throw Error("GGUF has no name for this tensor of " + std::string(row_.architecture),
                      {.file = loaded_.place.folder, .field = ours, .offset = {}});
        result_.notes.push_back("the file does not hold " + ours + ": GGUF has no place for it");
        continue;
      }
      auto group = std::ranges::find(groups, place->name, &std::pair<std::string, std::vector<Part>>::first);
      if (group == groups.end()) group = groups.insert(groups.end(), {place->name, {}});
      group->second.push_back({found, place->arrangement, place->expert});
    }
    return groups;
  }

  Value value(Builder& builder, const std::string& name) const {
    return index_.expression ? index_.expression(builder, name) : builder.parameter(name, *index_.find(name));
  }

  Value arranged(Builder& builder, const std::vector<Part>& parts) const {
    const HeadConfig heads = loaded_.config.heads_and_dims(
        row_.heads_key.empty() ? HeadKeys{} : HeadKeys{.hidden = row_.hidden_key, .heads = row_.heads_key});
    Value x = value(builder, parts.front().name);
    switch (parts.front().arrangement) {
      case GgufArrangement::same:
        return x;
      case GgufArrangement::query_pairs:
        return pairs_of_halves(x, heads.heads);
      case GgufArrangement::key_pairs:
        return pairs_of_halves(x, heads.kv_heads);
      case GgufArrangement::plus_one:
        return converted(x, Format::f32) + 1.0;
      case GgufArrangement::transposed:
        return x.type().rank() == 2 ? transpose(x, {1, 0}) : x;
      case GgufArrangement::experts: {
        std::vector<Value> experts;
        for (const Part& part : parts) {
          const Value expert = value(builder, part.name);
          Shape shape = expert.type().shape;
          shape.insert(shape.begin(), 1);
          experts.push_back(reshape(expert, shape));
        }
        return concat(experts, 0);
      }
    }
    return x;
  }

  Value converted(Value x, Format to) const {
    const Format from = x.type().format;
    if (from == to) return x;
    if (is_quantized(from))
      throw Error(
          "the tensor is " + std::string(info(from).name) + " and is not converted to " + std::string(info(to).name),
          {.file = loaded_.place.folder, .field = "--weights", .offset = {}},
          "export from the model's unquantised weights");
    if (!is_quantized(to)) return cast(x, to);
    return quantize(from == Format::f32 ? x : cast(x, Format::f32), to);
  }

  Format target(const std::string& name, const Type& type) const {
    if (is_small(name, type.rank())) return is_quantized(type.format) ? type.format : Format::f32;
    const Format wanted = options_.weights.value_or(type.format);
    return fits(wanted, static_cast<uint64_t>(type.last().number())) ? wanted : type.format;
  }

  void add(const std::string& name, const std::vector<Part>& parts) {
    Builder builder;
    const Value stored = arranged(builder, parts);
    const Value value = converted(stored, target(name, stored.type()));
    const Type type = value.type();
    builder.output(name, value);
    const auto graph = std::make_shared<const Graph>(builder.finish());
    out_.tensor(name, sizes_at(type.shape, {}), type.format, [this, graph] {
      const Node& last = graph->node(graph->outputs().front().value);
      if (last.op == &op::parameter) return source_->get(last.attrs.text("name"));
      return run_(*graph, *source_);
    });
    ++result_.tensors;
  }

  void write_tokens() {
    const GenerationConfig& generation = loaded_.generation;
    const auto token = [&](const char* name, int64_t id) {
      out_.integer("tokenizer.ggml." + std::string(name) + "_token_id", static_cast<uint32_t>(id));
    };
    if (generation.bos_token_id) token("bos", *generation.bos_token_id);
    if (generation.pad_token_id) token("padding", *generation.pad_token_id);
    constexpr const char* kEnds[] = {"eos", "eot", "eom"};
    for (size_t i = 0; i < std::min(std::size(kEnds), generation.eos_token_ids.size()); ++i)
      token(kEnds[i], generation.eos_token_ids[i]);
    if (options_.weights && is_quantized(*options_.weights)) out_.integer("general.quantization_version", 2);
  }

  void write_vocabulary() {
    const ModelFolder& place = loaded_.place;
    if (!loaded_.tokenizer) return out_.text("tokenizer.ggml.model", "none");
    std::optional<std::string> why = "only a tokenizer.json is written";
    if (!is_gguf(place.file) && place.has("tokenizer.json"))
      why = write_gguf_vocabulary(out_, place.path_of("tokenizer.json"), loaded_.config);
    if (!why) return;
    out_.text("tokenizer.ggml.model", "none");
    result_.notes.push_back("the file has no vocabulary: " + *why);
  }

  /// The default template, and others ("tool_use") under their names, as llama.cpp's converter does.
  void write_template() {
    const ModelFolder& place = loaded_.place;
    const std::string key = "tokenizer.chat_template";
    if (is_gguf(place.file)) {
      if (const auto source = loaded_.checkpoint->gguf()->text(key)) out_.text(key, *source);
      return;
    }
    const auto chat = ChatTemplate::find(place.folder);
    if (!chat) return;
    std::vector<std::string> others;
    for (const std::string& name : chat->names()) {
      if (name != "default") others.push_back(name);
      out_.text(name == "default" ? key : key + "." + name, chat->source(name));
    }
    if (!others.empty()) out_.texts(key + "s", others);
  }

  /// The file says the same model: its graphs are those of the source.
  void check() const {
    const Checkpoint written = Checkpoint::open(options_.output);
    const Config config = gguf_config(*written.gguf(), written.files());
    const bool factors = !gguf_rope_factors(row_, loaded_.config).empty();  // said in another way than the config's
    if (factors || graphs_text(config) == graphs_text(loaded_.config)) return;
    std::filesystem::remove(options_.output);
    loaded_.config.fail("model_type", "GGUF's metadata cannot say everything that this config says",
                        "the model read back would compute something else, so no file was kept");
  }

  const ExportOptions& options_;
  LoadedModel loaded_;
  const GgufArchitecture& row_;
  TensorIndex index_;
  LoadRunner run_;
  std::shared_ptr<ParameterSource> source_;
  GgufWriter out_;
  Exported result_;
};

}  // namespace

Exported export_gguf(const ExportOptions& options) { return Exporter(options).run(); }

}  // namespace braid
