// Routes that turn text into token ids and back.

#include "core/json.h"
#include "serve/service.h"
#include "text/tokenizer.h"

namespace braid::serve {

void tokenize(const std::shared_ptr<Call>& call) {
  Fields fields(call->request.body);
  call->service.check_model(fields);
  const auto text = fields.text("prompt");
  const bool special = fields.flag("add_special_tokens").value_or(true);
  fields.finish();
  if (!text) reject("prompt", "is required");
  const ServedModel& served = call->service.model();
  const std::vector<int32_t> ids = served.encode(*text, "prompt", special);
  JsonWriter json;
  json.begin_object().member("count", static_cast<uint64_t>(ids.size())).member("max_model_len", served.context());
  call->send_json(json.list("tokens", std::span<const int32_t>(ids)).end_object().text());
}

void detokenize(const std::shared_ptr<Call>& call) {
  Fields fields(call->request.body);
  call->service.check_model(fields);
  if (!fields.any("tokens")) reject("tokens", "is required");
  const ServedModel& served = call->service.model();
  const Tokenizer& tokenizer = served.model().need_tokenizer();
  const std::vector<int32_t> ids = fields.ids("tokens", tokenizer.vocabulary_size(), size_t{1} << 22);
  fields.finish();
  call->send_json(JsonWriter().begin_object().member("prompt", tokenizer.decode(ids)).end_object().text());
}

}  // namespace braid::serve
