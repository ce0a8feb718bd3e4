// POST /v1/embeddings.

#include <bit>
#include <cstring>

#include "core/error.h"
#include "core/json.h"
#include "serve/service.h"
#include "text/tokenizer.h"

namespace braid::serve {
namespace {

constexpr size_t kMostTexts = 2048;  // as the OpenAI API has it

static_assert(std::endian::native == std::endian::little, "base64 embeddings are little-endian floats");

std::string base64(std::span<const float> values) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto bytes = std::as_bytes(values);
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<uint32_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
  }
  return out;
}

struct Input {
  std::vector<std::string> texts;
  uint64_t tokens = 0;
};

/// A text, a list of texts, a list of ids, a list of lists of ids.
Input read_input(Fields& fields, const ServedModel& served) {
  const auto given = fields.any("input");
  if (!given) reject("input", "is required");
  const Tokenizer& tokenizer = served.model().need_tokenizer();
  Input input;
  const auto add = [&](Json one) {
    if (one.is_string())
      input.texts.emplace_back(one.as_string());
    else if (one.is_array())
      input.texts.push_back(tokenizer.decode(ids_of(one, "input", tokenizer.vocabulary_size()), true));
    else
      reject("input", "must be a text, a list of texts, or token ids");
    if (input.texts.back().empty()) reject("input", "must not be empty");
    input.tokens += served.encode(input.texts.back(), "input").size();
  };
  const bool many = given->is_array() && given->size() > 0 && !(*given)[0].is_number();
  if (!many) {
    add(*given);
    return input;
  }
  if (given->size() > kMostTexts) reject("input", "has more than " + std::to_string(kMostTexts) + " texts");
  for (size_t i = 0; i < given->size(); ++i) add((*given)[i]);
  return input;
}

std::string body_of(const Call& call, const std::vector<std::vector<float>>& vectors, bool as_base64, uint64_t tokens) {
  JsonWriter json;
  json.begin_object().member("object", "list").key("data").begin_array();
  for (size_t i = 0; i < vectors.size(); ++i) {
    json.begin_object().member("object", "embedding").member("index", static_cast<uint64_t>(i)).key("embedding");
    if (as_base64) {
      json.value(base64(vectors[i]));
    } else {
      json.begin_array();
      for (const float x : vectors[i]) json.value(static_cast<double>(x));
      json.end_array();
    }
    json.end_object();
  }
  json.end_array().member("model", call.service.model().name()).key("usage").begin_object();
  return json.member("prompt_tokens", tokens).member("total_tokens", tokens).end_object().end_object().text();
}

}  // namespace

void embed_texts(const std::shared_ptr<Call>& call) {
  Fields fields(call->request.body);
  call->service.check_model(fields);
  ServedModel& served = call->service.model();
  if (!served.embeds())
    throw ApiError(400, "the model " + served.name() + " writes text and gives no embeddings: serve an embedding model",
                   "model", "unsupported_model");
  const Input input = read_input(fields, served);
  const std::string format = fields.text("encoding_format").value_or("float");
  if (format != "float" && format != "base64") reject("encoding_format", "must be float or base64");
  const auto dimensions = fields.integer("dimensions", 1, 1 << 20);
  fields.accept("user");
  fields.finish();
  call->service.metrics().prompt(input.tokens);
  served.loop().post([call, input, dimensions, &served, as_base64 = format == "base64"] {
    try {
      const std::vector<std::vector<float>> vectors = served.embed(input.texts);
      // Few models are trained so that the beginning of a vector means something; their files do not say which.
      if (dimensions && static_cast<size_t>(*dimensions) != vectors.front().size())
        reject("dimensions", "must be " + std::to_string(vectors.front().size()) + ", the model's own");
      call->send_json(body_of(*call, vectors, as_base64, input.tokens));
    } catch (const std::exception& error) {
      call->fail(api_error(error));
    }
  });
}

}  // namespace braid::serve
