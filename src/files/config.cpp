#include "files/config.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "core/file_map.h"

namespace braid {
namespace {

std::string range_text(IntRange range) {
  if (range.most == IntRange{}.most) return "at least " + std::to_string(range.least);
  if (range.least == IntRange{}.least) return "at most " + std::to_string(range.most);
  return "from " + std::to_string(range.least) + " to " + std::to_string(range.most);
}

int64_t checked(const Json& value, IntRange range) {
  const int64_t number = value.as_int();
  if (number < range.least || number > range.most)
    value.fail("the value " + std::to_string(number) + " must be " + range_text(range));
  return number;
}

double finite(const Json& value) {
  const double number = value.as_double();
  if (!std::isfinite(number)) value.fail("the value must be finite");
  return number;
}

/// Python writes an infinite number as the bare word Infinity, which is no JSON (the time_step_limit of Mamba-2). It
/// becomes the text "Inf", and spaces, so that the offsets of what follows stay.
std::string with_quoted_infinities(std::string_view text) {
  constexpr std::string_view kWord = "Infinity", kText = "\"Inf\"   ";
  std::string out(text);
  bool quoted = false;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] == '"') {
      quoted = !quoted;
    } else if (quoted && out[i] == '\\') {
      ++i;
    } else if (!quoted && text.substr(i, kWord.size()) == kWord) {
      out.replace(i, kWord.size(), kText);
      i += kText.size() - 1;
    }
  }
  return out;
}

JsonDocument parse_document(std::string_view text, std::string file, const Limits& limits) {
  if (text.find("Infinity") == text.npos) return JsonDocument::parse(text, std::move(file), limits);
  return JsonDocument::parse(with_quoted_infinities(text), std::move(file), limits);
}

JsonDocument read_document(const std::string& path, const Limits& limits) {
  const auto map = FileMap::open(path);
  const auto bytes = map->bytes();
  if (bytes.size() > limits.max_json_bytes) return JsonDocument::read(path, limits);  // which refuses it
  JsonDocument document = parse_document({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path, limits);
  map->check();
  return document;
}

}  // namespace

Config::Config(std::shared_ptr<const JsonDocument> document, const Limits& limits)
    : document_(std::move(document)),
      section_(document_->root()),
      limits_(limits),
      notes_(std::make_shared<std::vector<std::string>>()) {
  if (!section_.is_object()) section_.fail("expected an object");
}

Config Config::read(const std::string& path, const Limits& limits) {
  std::error_code error;
  const std::filesystem::path given(path);
  const auto file = std::filesystem::is_directory(given, error) ? given / "config.json" : given;
  return {std::make_shared<const JsonDocument>(read_document(file.string(), limits)), limits};
}

Config Config::parse(std::string_view text, std::string file, const Limits& limits) {
  return {std::make_shared<const JsonDocument>(parse_document(text, std::move(file), limits)), limits};
}

Config Config::with_defaults(std::string_view text) const {
  Config config = *this;
  config.defaults_ = std::make_shared<const JsonDocument>(JsonDocument::parse(text, file() + ", defaults", limits_));
  return config;
}

std::string Config::model_type() const { return string_at("model_type"); }

void Config::require_known(std::span<const std::string_view> known) {
  const bool own_code = has("auto_map");
  const std::string type = model_type();
  if (std::find(known.begin(), known.end(), type) == known.end()) {
    std::string advice = "Braid knows";
    for (std::string_view name : known) advice += " " + std::string(name);
    if (own_code) advice += "; the code that comes with a checkpoint (auto_map) is never run";
    at("model_type").fail("unknown model type \"" + type + "\"", advice);
  }
  if (own_code)
    notes_->push_back(file() + ": auto_map is ignored: Braid has its own " + type +
                      " and runs no code from a checkpoint");
}

std::optional<Json> Config::find(std::string_view key) const {
  auto value = section_.find(key);
  if ((!value || value->is_null()) && defaults_) value = defaults_->root().find(key);
  if (!value || value->is_null()) return std::nullopt;
  return value;
}

Json Config::at(std::string_view key) const {
  if (auto value = find(key)) return *value;
  section_.fail("the key \"" + std::string(key) + "\" is missing");
}

Config Config::section(std::string_view key) const {
  Config nested = *this;
  nested.section_ = at(key);
  nested.defaults_ = nullptr;
  if (!nested.section_.is_object()) nested.section_.fail("expected an object");
  return nested;
}

int64_t Config::int_at(std::string_view key, IntRange range) const { return checked(at(key), range); }

int64_t Config::int_or(std::string_view key, int64_t otherwise, IntRange range) const {
  const auto value = find(key);
  return value ? checked(*value, range) : otherwise;
}

double Config::real_at(std::string_view key) const { return finite(at(key)); }

double Config::real_or(std::string_view key, double otherwise) const {
  const auto value = find(key);
  return value ? finite(*value) : otherwise;
}

bool Config::bool_or(std::string_view key, bool otherwise) const {
  const auto value = find(key);
  return value ? value->as_bool() : otherwise;
}

std::string Config::string_at(std::string_view key) const { return std::string(at(key).as_string()); }

std::string Config::string_or(std::string_view key, std::string_view otherwise) const {
  const auto value = find(key);
  return std::string(value ? value->as_string() : otherwise);
}

std::vector<int64_t> Config::ints_at(std::string_view key, IntRange range) const {
  const Json list = at(key);
  if (!list.is_array()) list.fail("expected an array of integers");
  std::vector<int64_t> numbers;
  numbers.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) numbers.push_back(checked(list[i], range));
  return numbers;
}

std::vector<int64_t> Config::ints_or(std::string_view key, std::vector<int64_t> otherwise, IntRange range) const {
  return has(key) ? ints_at(key, range) : std::move(otherwise);
}

std::vector<std::string> Config::strings(std::string_view key) const {
  std::vector<std::string> texts;
  const auto list = find(key);
  if (!list) return texts;
  if (!list->is_array()) list->fail("expected an array of strings");
  for (size_t i = 0; i < list->size(); ++i) texts.emplace_back((*list)[i].as_string());
  return texts;
}

void Config::fail(std::string_view key, std::string what, std::string advice) const {
  if (auto value = find(key)) value->fail(std::move(what), std::move(advice));
  section_.fail(std::string(key) + ": " + what, std::move(advice));
}

int64_t Config::layers(std::string_view key) const {
  return int_at(key, {1, static_cast<int64_t>(limits_.max_layers)});
}

int64_t Config::vocabulary(std::string_view key) const {
  const int64_t size = int_at(key, {1, static_cast<int64_t>(limits_.max_vocabulary)});
  const auto check = [&](const Json& id) {
    if (const int64_t token = id.as_int(); token >= size)
      id.fail("the end-of-sequence token " + std::to_string(token) + " is outside the vocabulary of " +
              std::to_string(size));
  };
  if (const auto eos = find("eos_token_id")) {
    if (eos->is_array()) {
      for (size_t i = 0; i < eos->size(); ++i) check((*eos)[i]);
    } else {
      check(*eos);
    }
  }
  return size;
}

HeadConfig Config::heads_and_dims(const HeadKeys& keys) const {
  HeadConfig out;
  out.hidden = size_at(keys.hidden);
  out.heads = size_at(keys.heads);
  out.kv_heads = size_or(keys.kv_heads, out.heads);
  if (out.kv_heads > out.heads)
    fail(keys.kv_heads, "there are more key-value heads (" + std::to_string(out.kv_heads) + ") than heads (" +
                            std::to_string(out.heads) + ")");
  if (out.heads % out.kv_heads != 0)
    fail(keys.kv_heads, "the " + std::to_string(out.kv_heads) + " key-value heads do not divide the " +
                            std::to_string(out.heads) + " heads");
  if (!has(keys.head_dim) && out.hidden % out.heads != 0)
    fail(keys.heads,
         "the " + std::to_string(out.heads) + " heads do not divide the hidden size " + std::to_string(out.hidden),
         "without " + std::string(keys.head_dim) + ", they must");
  out.head_dim = size_or(keys.head_dim, out.hidden / out.heads);
  return out;
}

std::optional<Format> Config::dtype() const {
  const auto value = has("dtype") ? find("dtype") : find("torch_dtype");
  if (!value) return std::nullopt;
  std::string_view name = value->as_string();
  if (name.starts_with("torch.")) name.remove_prefix(6);
  if (name == "float32" || name == "float") return Format::f32;
  if (name == "float16" || name == "half") return Format::f16;
  if (name == "bfloat16") return Format::bf16;
  if (name == "float64" || name == "double") return Format::f64;
  if (name == "float8_e4m3fn") return Format::f8e4m3;
  if (name == "float8_e5m2") return Format::f8e5m2;
  value->fail("unknown number format \"" + std::string(name) + "\"");
}

std::vector<std::string> Config::labels() const {
  const auto map = find("id2label");
  if (!map) return {};
  if (!map->is_object()) map->fail("expected an object from ids to labels");
  std::vector<std::string> labels(map->size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto label = map->find(std::to_string(i));
    if (!label) map->fail("the label of id " + std::to_string(i) + " is missing");
    labels[i] = label->is_string() ? std::string(label->as_string()) : std::to_string(label->as_int());
  }
  return labels;
}

}  // namespace braid
