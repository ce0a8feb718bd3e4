#include "cli/generation_json.h"

#include <cstdio>

namespace braid::cli {
namespace {

void write_logprobs(JsonWriter& json, const char* key, const std::vector<TokenLogprob>& logprobs) {
  json.key(key).begin_array();
  for (const TokenLogprob& l : logprobs) {
    json.begin_object().member("token_id", l.token).member("logprob", l.logprob).key("top").begin_array();
    for (const RankedToken& top : l.top)
      json.begin_object().member("token_id", top.token).member("logprob", top.logprob).end_object();
    json.end_array().end_object();
  }
  json.end_array();
}

/// What is in force and not its default: those that are one number.
void write_settings(JsonWriter& json, const GenerationConfig& settings) {
  json.key("settings").begin_object();
  for (const RealSetting& s : real_settings())
    if (settings.*s.field) json.member(s.name, *(settings.*s.field));
  for (const CountSetting& s : count_settings())
    if (settings.*s.field) json.member(s.name, *(settings.*s.field));
  if (settings.do_sample) json.member("do_sample", *settings.do_sample);
  if (settings.early_stopping) json.member("early_stopping", name(*settings.early_stopping));
  json.end_object();
}

}  // namespace

void write_text(JsonWriter& json, const GeneratedText& text, bool logprobs) {
  json.list("token_ids", std::span<const int32_t>(text.token_ids)).member("text", text.text);
  json.member("finish_reason", name(text.finish_reason));
  if (text.score) json.member("score", *text.score);
  if (logprobs) write_logprobs(json, "logprobs", text.logprobs);
}

std::string generation_json(const GenerationReport& report) {
  const GenerateResult& r = report.result;
  const bool logprobs = report.options.logprobs >= 0;
  JsonWriter json;
  json.begin_object();
  write_text(json, r, logprobs);
  json.member("prompt_tokens", r.prompt_tokens).member("completion_tokens", r.completion_tokens);
  json.key("timings").begin_object();
  json.member("load_ms", r.timings.load_ms).member("prefill_ms", r.timings.prefill_ms);
  json.member("decode_ms", r.timings.decode_ms).member("prefill_tokens_per_s", r.timings.prefill_tokens_per_s);
  json.member("decode_tokens_per_s", r.timings.decode_tokens_per_s).end_object();
  if (!r.others.empty()) {
    json.key("others").begin_array();
    for (const GeneratedText& text : r.others) {
      json.begin_object();
      write_text(json, text, logprobs);
      json.end_object();
    }
    json.end_array();
  }
  if (report.options.prompt_logprobs >= 0) write_logprobs(json, "prompt_logprobs", r.prompt_logprobs);
  write_settings(json, report.settings);
  json.member("seed", report.options.seed).member("compute", report.compute);
  return json.end_object().text() + "\n";
}

std::string settings_line(const GenerationConfig& settings) {
  std::string line = "settings:";
  const auto add = [&](std::string_view name, const std::string& value) {
    line += (line.back() == ':' ? " " : ", ") + std::string(name) + " " + value;
  };
  const auto number = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return std::string(text);
  };
  for (const RealSetting& s : real_settings())
    if (settings.*s.field) add(s.name, number(*(settings.*s.field)));
  for (const CountSetting& s : count_settings())
    if (settings.*s.field) add(s.name, std::to_string(*(settings.*s.field)));
  return line.back() == ':' ? "settings: the likeliest token" : line;
}

std::string timings_line(const GenerateResult& r) {
  char line[256];
  std::snprintf(
      line, sizeof line,
      "load %.0f ms; prompt of %lld tokens in %.1f ms (%.0f tokens/s); %lld tokens in %.1f ms (%.1f tokens/s); %s",
      r.timings.load_ms, static_cast<long long>(r.prompt_tokens), r.timings.prefill_ms, r.timings.prefill_tokens_per_s,
      static_cast<long long>(r.completion_tokens), r.timings.decode_ms, r.timings.decode_tokens_per_s,
      std::string(name(r.finish_reason)).c_str());
  return line;
}

}  // namespace braid::cli
