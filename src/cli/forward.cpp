#include "tasks/forward.h"

#include "cli/load.h"
#include "files/safetensors.h"

namespace braid::cli {

int forward(Session& session) {
  Common common;
  std::string model, input, output;
  bool hidden = false;
  Flags flags = session.flags();
  flags.positional("MODEL", model, "a model of any family");
  flags.text("--input", input, "FILE: safetensors with input_ids, attention_mask, pixel_values, input_features, …");
  flags.text("--output", output, "FILE: safetensors to write: logits, last_hidden_state, …, in fp32");
  flags.on_off("--hidden", hidden, "also hidden.N: what enters the first layer and what leaves each");
  add_common_flags(flags, common, true);
  if (!session.parse(flags)) return 0;
  for (const char* name : {"--input", "--output"})
    if (!flags.given(name)) throw UsageError(std::string(name) + " is needed");

  const SafetensorsFile file = SafetensorsFile::open(input);
  std::vector<NamedTensor> tensors;
  for (const SafetensorsEntry& entry : file.entries()) tensors.push_back({entry.name, file.tensor(entry)});
  const ForwardInputs inputs = ForwardInputs::from(tensors, input);
  file.map()->check();

  LoadOptions options = forward_options(inputs, load_options(common, model));
  options.hidden_states = hidden;
  const LoadedModel loaded = load(session, common, options);
  session.interrupt.end_at_once(true);  // until the outputs are written, which is done whole or not at all
  Waiting waiting(session.console, "forward");
  const std::vector<NamedTensor> outputs = braid::forward(*loaded.program, inputs);
  waiting.stop();
  write_safetensors(output, outputs);
  report(session, common, *loaded.program);

  JsonWriter json;
  json.begin_object().key("outputs").begin_array();
  for (const NamedTensor& out : outputs) {
    if (!common.json) session.console.print(out.name + " " + to_string(out.tensor.type()) + "\n");
    json.begin_object().member("name", out.name).list("shape", std::span<const int64_t>(out.tensor.shape)).end_object();
  }
  json.end_array().member("output", output).member("compute", compute(*loaded.program)).end_object();
  if (common.json) session.console.print(json.text() + "\n");
  return 0;
}

}  // namespace braid::cli
