#include "text/readers/sections.h"

#include <algorithm>

#include "core/json.h"

namespace braid::text {
namespace {

JsonDocument parse(std::string_view json, const Limits& limits) {
  return JsonDocument::parse(json, "a section of the tokenizer", limits);
}

void sequence(JsonWriter& json, const char* id, int32_t type) {
  json.begin_object().key("Sequence").begin_object().member("id", id).member("type_id", type).end_object().end_object();
}

void special(JsonWriter& json, std::span<const int32_t> tokens, int32_t type) {
  for (const int32_t token : tokens)
    json.begin_object()
        .key("SpecialToken")
        .begin_object()
        .member("id", std::to_string(token))
        .member("type_id", type)
        .end_object()
        .end_object();
}

}  // namespace

std::unique_ptr<Normalizer> normalizer_section(std::string_view json, const Limits& limits) {
  return read_normalizer(parse(json, limits).root(), limits);
}
std::unique_ptr<PreTokenizer> pre_tokenizer_section(std::string_view json, const Limits& limits) {
  return read_pre_tokenizer(parse(json, limits).root(), limits);
}
std::unique_ptr<Decoder> decoder_section(std::string_view json, const Limits& limits) {
  return read_decoder(parse(json, limits).root(), limits);
}

std::unique_ptr<PostProcessor> frame_section(const Frame& frame, const Limits& limits) {
  if (frame.empty()) return nullptr;
  JsonWriter json;
  json.begin_object().member("type", "TemplateProcessing").key("single").begin_array();
  special(json, frame.before, 0);
  sequence(json, "A", 0);
  special(json, frame.after, 0);
  json.end_array().key("pair").begin_array();
  special(json, frame.before, 0);
  sequence(json, "A", 0);
  special(json, frame.between, 0);
  sequence(json, "B", frame.second_type);
  special(json, frame.after, frame.second_type);
  json.end_array().key("special_tokens").begin_object();
  std::vector<int32_t> all = frame.before;
  all.insert(all.end(), frame.after.begin(), frame.after.end());
  all.insert(all.end(), frame.between.begin(), frame.between.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (const int32_t token : all) {
    json.key(std::to_string(token)).begin_object().list("ids", std::span<const int32_t>(&token, 1)).end_object();
  }
  json.end_object().end_object();
  return read_post_processor(parse(json.text(), limits).root(), limits);
}

std::string quoted_json(std::string_view text) { return JsonWriter().value(text).text(); }

std::string to_base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? static_cast<uint8_t>(bytes[i + j]) : 0u);
    for (size_t j = 0; j < 4; ++j) text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::string byte_level_split(std::span<const std::string_view> patterns) {
  std::string json = R"({"type": "Sequence", "pretokenizers": [)";
  for (const std::string_view pattern : patterns)
    json += R"({"type": "Split", "pattern": {"Regex": )" + quoted_json(pattern) +
            R"(}, "behavior": "Isolated", "invert": false}, )";
  return json + R"({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]})";
}

std::string bert_normalizer(const BertText& text) {
  const auto word = [](bool flag) { return flag ? "true" : "false"; };
  return std::string(R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": )") +
         word(text.chinese) + R"(, "strip_accents": )" + (text.strip_accents ? word(*text.strip_accents) : "null") +
         R"(, "lowercase": )" + word(text.lowercase) + "}";
}

}  // namespace braid::text
