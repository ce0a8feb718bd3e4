#include "tasks/inspect.h"

#include "cli/load.h"

namespace braid::cli {
namespace {

void write(JsonWriter& json, const ModelDescription& d) {
  json.member("family", d.family).member("architecture", d.architecture).member("parameters", d.parameters);
  json.member("vocabulary", d.vocabulary).member("max_positions", d.max_positions);
  json.member("checkpoint_bytes", d.checkpoint_bytes).key("formats").begin_object();
  for (const auto& [format, count] : d.formats) json.member(format, count);
  json.end_object().list("unread", std::span<const std::string>(d.unread)).key("entries").begin_array();
  const auto types = [&](const char* key, const auto& list) {
    json.key(key).begin_object();
    for (const auto& [name, type] : list) json.member(name, type);
    json.end_object();
  };
  for (const EntryDescription& entry : d.entries) {
    json.begin_object().member("name", entry.name).member("nodes", entry.nodes);
    types("inputs", entry.inputs);
    types("outputs", entry.outputs);
    json.key("states").begin_array();
    for (const StateDescription& s : entry.states) {
      json.begin_object().member("name", s.name).member("type", s.type).member("lifetime", s.lifetime);
      json.member("bytes", s.bytes).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

void write(JsonWriter& json, const std::vector<TensorDescription>& tensors) {
  json.key("tensors").begin_array();
  for (const TensorDescription& t : tensors) {
    json.begin_object().member("name", t.name).member("format", info(t.format).name);
    json.list("shape", std::span<const int64_t>(t.shape)).member("bytes", t.bytes);
    if (!t.sha256.empty()) json.member("sha256", t.sha256);
    json.end_object();
  }
  json.end_array();
}

std::string text_of(const ModelDescription& d) {
  std::string text = d.architecture + " (" + d.family + ")\n";
  text += "parameters     " + std::to_string(d.parameters) + "\n";
  for (const auto& [format, count] : d.formats) text += "  " + format + "  " + std::to_string(count) + "\n";
  if (d.checkpoint_bytes > 0) text += "checkpoint     " + std::to_string(d.checkpoint_bytes) + " bytes\n";
  if (d.vocabulary > 0) text += "vocabulary     " + std::to_string(d.vocabulary) + "\n";
  if (d.max_positions > 0) text += "max positions  " + std::to_string(d.max_positions) + "\n";
  for (const std::string& name : d.unread) text += "unread         " + name + "\n";
  for (const EntryDescription& entry : d.entries) {
    text += "entry " + entry.name + ": " + std::to_string(entry.nodes) + " nodes\n";
    for (const auto& [name, type] : entry.inputs) text += "  in     " + name + " " + type + "\n";
    for (const auto& [name, type] : entry.outputs) text += "  out    " + name + " " + type + "\n";
    for (const StateDescription& s : entry.states)
      text += "  state  " + s.name + " " + s.type + ", " + std::to_string(s.bytes) + " bytes per " + s.lifetime + "\n";
  }
  return text;
}

std::string text_of(const std::vector<TensorDescription>& tensors) {
  std::string text;
  for (const TensorDescription& t : tensors) {
    text += t.name + " " + std::string(info(t.format).name) + "[";
    for (size_t i = 0; i < t.shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(t.shape[i]);
    text += "]" + (t.sha256.empty() ? "" : " " + t.sha256) + "\n";
  }
  return text;
}

}  // namespace

int inspect(Session& session) {
  Common common;
  std::string model;
  bool graph = false, tensors = false, checksums = false;
  int64_t compiled = 0;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a model of any family");
  flags.on_off("--graph", graph, "print the graph of each entry, as the family wrote it");
  flags.integer("--compiled", compiled, "N: print the graphs as they run for steps of N tokens, after all passes",
                {.least = 1, .most = 1 << 20});
  flags.on_off("--tensors", tensors, "list the tensors under the file's own names");
  flags.on_off("--checksums", checksums, "with the SHA-256 of their numbers as fp32");
  add_common_flags(flags, common);
  if (!session.parse(flags)) return 0;

  LoadOptions options = load_options(common, model);
  options.step_tokens = std::max(options.step_tokens, compiled);
  LoadedModel loaded = load(session, common, options);
  session.interrupt.end_at_once(true);
  Program& program = *loaded.program;
  const ModelDescription description = describe(loaded);
  std::vector<TensorDescription> list;
  if (tensors || checksums) list = describe_tensors(loaded, checksums);
  std::vector<std::pair<std::string, std::string>> graphs;
  for (const std::string& entry : program.model().entries) {
    if (compiled > 0)
      graphs.emplace_back(entry, print(program.executable(entry, compiled).graph()));
    else if (graph)
      graphs.emplace_back(entry, print(program.graph(entry)));
  }
  if (!common.json) {
    session.console.print(text_of(description) + text_of(list));
    for (const auto& [entry, text] : graphs) session.console.print("graph " + entry + "\n" + text);
    return 0;
  }
  JsonWriter json;
  write(json.begin_object(), description);
  if (tensors || checksums) write(json, list);
  if (!graphs.empty()) {
    json.key("graphs").begin_object();
    for (const auto& [entry, text] : graphs) json.member(entry, text);
    json.end_object();
  }
  session.console.print(json.end_object().text() + "\n");
  return 0;
}

}  // namespace braid::cli
