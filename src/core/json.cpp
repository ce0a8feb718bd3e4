#include "core/json.h"

#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <random>

#include "core/file_map.h"
#include "core/json_scan.h"
#include "core/large_pages.h"

namespace braid {
namespace {

constexpr uint32_t kNoIndex = UINT32_MAX;
constexpr uint32_t kLinearMembers = 8;   // objects up to this size are searched member by member
constexpr uint32_t kDeepestTree = 1024;  // building and scanning recurse

/// One value in 16 bytes. The children of a container lie side by side: an array's elements at [first, first + size);
/// an object's keys at [first, first + size) and its values right behind them.
struct Node {
  Json::Kind kind = Json::Kind::null;
  bool is_unsigned = false;  ///< an integer above INT64_MAX
  uint32_t size = 0;         ///< bytes of a string; elements or members of a container
  union {
    int64_t integer = 0;
    uint64_t natural;
    double real;
    const char* text;
    struct {
      uint32_t first;
      uint32_t slots;  ///< where a large object's hash table begins in State::slots
    } children;
  };
};
static_assert(sizeof(Node) == 16);

std::string_view text_of(const Node& node) { return {node.text, node.size}; }

/// A keyed hash: the seed differs per document, so that no file can be made of colliding keys.
uint64_t hash(std::string_view text, uint64_t seed) {
  const auto fold = [](uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t state = seed ^ (text.size() * 0x9E3779B97F4A7C15u);
  while (text.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, text.data(), 8);
    state = fold(state ^ word, 0xD6E8FEB86659FD93u ^ seed);
    text.remove_prefix(8);
  }
  uint64_t word = 0;
  std::memcpy(&word, text.data(), text.size());
  return fold(state ^ word, 0xA0761D6478BD642Fu ^ seed);
}

uint64_t random_seed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32 | device()) | 1;
}

std::string_view kind_name(Json::Kind kind) {
  constexpr std::string_view kNames[] = {"null",     "a boolean", "an integer", "a real number",
                                         "a string", "an array",  "an object"};
  return kNames[static_cast<size_t>(kind)];
}

/// Integers beyond 64 bits are legal JSON (tokenizer_config.json has them), but simdjson refuses them: they are read as
/// reals. Appends ".0" to each; the result has other offsets than `text`.
std::string widen_big_integers(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 64);
  bool in_string = false;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_string || !(c == '-' || (c >= '0' && c <= '9'))) {
      if (in_string && c == '\\' && i + 1 < text.size()) out.push_back(text[i++]);
      if (c == '"') in_string = !in_string;
      out.push_back(text[i++]);
      continue;
    }
    size_t end = i + 1;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    out.append(text, i, end - i);
    const bool integer = end == text.size() || (text[end] != '.' && text[end] != 'e' && text[end] != 'E');
    if (integer && end - i > 18) {
      int64_t small;
      uint64_t large;
      const char *from = text.data() + i, *to = text.data() + end;
      const bool fits = std::from_chars(from, to, small).ec == std::errc() ||
                        (c != '-' && std::from_chars(from, to, large).ec == std::errc());
      if (!fits) out += ".0";
    }
    i = end;
    while (!integer && i < text.size() && std::string_view("0123456789.eE+-").find(text[i]) != std::string_view::npos)
      out.push_back(text[i++]);
  }
  return out;
}

/// Elements or members. simdjson has counted them, up to 2^24 − 1.
template <class Container>
uint32_t count(const Container& container) {
  constexpr size_t kSaturated = 0xFFFFFF;
  if (container.size() < kSaturated) return static_cast<uint32_t>(container.size());
  uint32_t count = 0;
  for (auto item = container.begin(); item != container.end(); ++item) ++count;
  return count;
}

bool may_hold_surrogate(std::string_view text) {
  return text.find("\\ud") != text.npos || text.find("\\uD") != text.npos;
}

}  // namespace

struct JsonDocument::State {
  std::string file;
  uint64_t base = 0;
  uint32_t max_depth = 0;
  uint64_t seed = random_seed();
  LargeVector<char> source;            // kept so that errors can name a byte offset; padded for simdjson
  size_t length = 0;                   // of the text in `source`
  std::unique_ptr<uint8_t[]> strings;  // decoded strings, which nodes point into
  LargeVector<Node> nodes;             // nodes[0] is the root
  LargeVector<uint32_t> slots;         // open-addressing tables of large objects: member index or kNoIndex

  std::string_view text() const { return {source.data(), length}; }

  void parse();
  void build(uint32_t at, simdjson::dom::element element);
  void build_object(uint32_t at, simdjson::dom::object object);
  void index_members(uint32_t at);
  uint32_t find(const Node& object, std::string_view key) const;
  std::vector<uint32_t> path_to(uint32_t node) const;
  std::string path_text(std::span<const uint32_t> path) const;
  [[noreturn]] void fail_duplicate(uint32_t object, uint32_t member) const;
  Place place(std::optional<uint64_t> offset) const { return {.file = file, .field = {}, .offset = offset}; }
};

void JsonDocument::State::parse() {
  length = source.size();
  source.resize(length + simdjson::SIMDJSON_PADDING);
  std::fill(source.begin() + static_cast<std::ptrdiff_t>(length), source.end(), ' ');
  simdjson::dom::parser parser;
  simdjson::dom::document document;
  const auto attempt = [&](const char* data, size_t size) -> simdjson::error_code {
    if (auto error = parser.allocate(std::max<size_t>(size, 1), max_depth + 1)) return error;
    if (auto error = document.allocate(std::max<size_t>(size, 1))) return error;
    prefer_huge_pages(document.tape.get(), size * sizeof(uint64_t));
    prefer_huge_pages(document.string_buf.get(), size);
    prefer_huge_pages(parser.implementation->structural_indexes.get(), size * sizeof(uint32_t));
    return parser.parse_into_document(document, reinterpret_cast<const uint8_t*>(data), size, false).error();
  };
  if (length > UINT32_MAX - 64) throw Error("the JSON document is larger than 4 GB", place({}));
  simdjson::error_code error = attempt(source.data(), length);
  // simdjson lets lone surrogates through in some spellings; the scanner does not.
  if (error || may_hold_surrogate(text())) {
    if (auto fault = find_json_fault(text(), max_depth))
      throw Error("invalid JSON: " + fault->what, place(base + fault->offset));
  }
  if (error == simdjson::NUMBER_ERROR) {
    std::string widened = widen_big_integers(text());
    const size_t size = widened.size();
    widened.resize(size + simdjson::SIMDJSON_PADDING);
    error = attempt(widened.data(), size);
  }
  if (error) throw Error(std::string("invalid JSON: ") + simdjson::error_message(error), place({}));
  nodes.reserve(length / 12 + 16);
  nodes.emplace_back();
  build(0, document.root());
  strings = std::move(document.string_buf);
}

void JsonDocument::State::build(uint32_t at, simdjson::dom::element element) {
  using simdjson::dom::element_type;
  Node node;
  switch (element.type()) {
    case element_type::NULL_VALUE:
      break;
    case element_type::BOOL:
      node.kind = Json::Kind::boolean;
      node.integer = bool(element) ? 1 : 0;
      break;
    case element_type::INT64:
      node.kind = Json::Kind::integer;
      node.integer = int64_t(element);
      break;
    case element_type::UINT64:
      node.kind = Json::Kind::integer;
      node.is_unsigned = true;
      node.natural = uint64_t(element);
      break;
    case element_type::DOUBLE:
      node.kind = Json::Kind::real;
      node.real = double(element);
      break;
    case element_type::STRING: {
      const std::string_view text = element;
      node.kind = Json::Kind::string;
      node.size = static_cast<uint32_t>(text.size());
      node.text = text.data();
      break;
    }
    case element_type::ARRAY: {
      const simdjson::dom::array array = element;
      node.kind = Json::Kind::array;
      node.size = count(array);
      node.children = {static_cast<uint32_t>(nodes.size()), 0};
      nodes[at] = node;
      nodes.resize(nodes.size() + node.size);
      uint32_t child = node.children.first;
      for (simdjson::dom::element item : array) build(child++, item);
      return;
    }
    case element_type::OBJECT:
      return build_object(at, element);
  }
  nodes[at] = node;
}

void JsonDocument::State::build_object(uint32_t at, simdjson::dom::object object) {
  Node node;
  node.kind = Json::Kind::object;
  const uint32_t size = count(object);
  node.size = size;
  node.children = {static_cast<uint32_t>(nodes.size()), 0};
  nodes[at] = node;
  nodes.resize(nodes.size() + 2 * static_cast<size_t>(size));
  uint32_t index = 0;
  for (const auto member : object) {
    Node& key = nodes[node.children.first + index++];
    key.kind = Json::Kind::string;
    key.size = static_cast<uint32_t>(member.key.size());
    key.text = member.key.data();
  }
  index_members(at);
  uint32_t child = node.children.first + size;
  for (const auto member : object) build(child++, member.value);
}

void JsonDocument::State::index_members(uint32_t at) {
  Node& object = nodes[at];
  const Node* keys = nodes.data() + object.children.first;
  if (object.size <= kLinearMembers) {
    for (uint32_t i = 1; i < object.size; ++i)
      for (uint32_t j = 0; j < i; ++j)
        if (text_of(keys[i]) == text_of(keys[j])) fail_duplicate(at, i);
    return;
  }
  const uint32_t capacity = std::bit_ceil(2 * object.size);
  object.children.slots = static_cast<uint32_t>(slots.size());
  slots.resize(slots.size() + capacity, kNoIndex);
  uint32_t* table = slots.data() + object.children.slots;
  for (uint32_t i = 0; i < object.size; ++i) {
    uint32_t slot = static_cast<uint32_t>(hash(text_of(keys[i]), seed)) & (capacity - 1);
    for (; table[slot] != kNoIndex; slot = (slot + 1) & (capacity - 1))
      if (text_of(keys[table[slot]]) == text_of(keys[i])) fail_duplicate(at, i);
    table[slot] = i;
  }
}

uint32_t JsonDocument::State::find(const Node& object, std::string_view key) const {
  const Node* keys = nodes.data() + object.children.first;
  if (object.size <= kLinearMembers) {
    for (uint32_t i = 0; i < object.size; ++i)
      if (text_of(keys[i]) == key) return i;
    return kNoIndex;
  }
  const uint32_t capacity = std::bit_ceil(2 * object.size);
  const uint32_t* table = slots.data() + object.children.slots;
  for (uint32_t slot = static_cast<uint32_t>(hash(key, seed)) & (capacity - 1); table[slot] != kNoIndex;
       slot = (slot + 1) & (capacity - 1))
    if (text_of(keys[table[slot]]) == key) return table[slot];
  return kNoIndex;
}

std::vector<uint32_t> JsonDocument::State::path_to(uint32_t target) const {
  // Blocks of children are laid out depth first: the subtree of a container lies between its block and its next
  // sibling's.
  std::vector<uint32_t> path;
  uint32_t at = 0;
  while (at != target) {
    const Node& node = nodes[at];
    const uint32_t values = node.children.first + (node.kind == Json::Kind::object ? node.size : 0);
    if (target >= values && target < values + node.size) {
      path.push_back(target - values);
      return path;
    }
    uint32_t next = kNoIndex;
    for (uint32_t i = 0; i < node.size; ++i) {
      const Node& child = nodes[values + i];
      const bool container = child.kind == Json::Kind::array || child.kind == Json::Kind::object;
      if (container && child.size > 0 && child.children.first <= target) next = i;
    }
    if (next == kNoIndex) break;
    path.push_back(next);
    at = values + next;
  }
  return path;
}

std::string JsonDocument::State::path_text(std::span<const uint32_t> path) const {
  std::string text;
  uint32_t at = 0;
  for (uint32_t index : path) {
    const Node& node = nodes[at];
    if (node.kind == Json::Kind::object) {
      if (!text.empty()) text += '.';
      text += text_of(nodes[node.children.first + index]);
      at = node.children.first + node.size + index;
    } else {
      text += '[' + std::to_string(index) + ']';
      at = node.children.first + index;
    }
  }
  return text;
}

void JsonDocument::State::fail_duplicate(uint32_t object, uint32_t member) const {
  std::vector<uint32_t> path = path_to(object);
  const std::string parent = path_text(path);
  const std::string key(text_of(nodes[nodes[object].children.first + member]));
  path.push_back(member);
  throw Error("duplicate key \"" + key + "\"", {.file = file,
                                                .field = parent.empty() ? key : parent + "." + key,
                                                .offset = base + json_offset(text(), path, true)});
}

JsonDocument::JsonDocument(std::unique_ptr<State> state) : state_(std::move(state)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

JsonDocument JsonDocument::parse(std::string_view text, std::string file, const Limits& limits, uint64_t base) {
  auto state = std::make_unique<State>();
  state->file = std::move(file);
  state->base = base;
  state->max_depth = std::min(limits.max_json_depth, kDeepestTree);
  state->source.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  state->source.resize(text.size());
  std::ranges::copy(text, state->source.begin());
  state->parse();
  return JsonDocument(std::move(state));
}

JsonDocument JsonDocument::read(const std::string& path, const Limits& limits) {
  auto state = std::make_unique<State>();
  state->file = path;
  state->max_depth = std::min(limits.max_json_depth, kDeepestTree);
  read_file(path, limits.max_json_bytes, [&](size_t bytes) {
    state->source.reserve(bytes + simdjson::SIMDJSON_PADDING);
    state->source.resize(bytes);
    return std::span(state->source);
  });
  state->parse();
  return JsonDocument(std::move(state));
}

Json JsonDocument::root() const { return {this, 0}; }
const std::string& JsonDocument::file() const { return state_->file; }

namespace {
const Node& container(const LargeVector<Node>& nodes, const Json& json, uint32_t node) {
  const Node& n = nodes[node];
  if (n.kind != Json::Kind::array && n.kind != Json::Kind::object)
    json.fail("expected an array or an object, found " + std::string(kind_name(n.kind)));
  return n;
}

void expect(const Json& json, Json::Kind found, Json::Kind wanted) {
  if (found != wanted)
    json.fail("expected " + std::string(kind_name(wanted)) + ", found " + std::string(kind_name(found)));
}
}  // namespace

Json::Kind Json::kind() const { return document_->state_->nodes[node_].kind; }

bool Json::as_bool() const {
  expect(*this, kind(), Kind::boolean);
  return document_->state_->nodes[node_].integer != 0;
}

int64_t Json::as_int() const {
  const Node& node = document_->state_->nodes[node_];
  // 2^63 is a double; the largest double below it is an int64.
  if (node.kind == Kind::real && node.real >= -0x1p63 && node.real < 0x1p63 &&
      node.real == static_cast<double>(static_cast<int64_t>(node.real)))
    return static_cast<int64_t>(node.real);
  expect(*this, node.kind, Kind::integer);
  if (node.is_unsigned) fail("the integer does not fit into 64 bits with a sign");
  return node.integer;
}

uint64_t Json::as_uint() const {
  const Node& node = document_->state_->nodes[node_];
  if (node.kind == Kind::integer && node.is_unsigned) return node.natural;
  if (node.kind == Kind::real && node.real >= 0x1p63 && node.real < 0x1p64) return static_cast<uint64_t>(node.real);
  const int64_t value = as_int();
  if (value < 0) fail("the integer must not be negative");
  return static_cast<uint64_t>(value);
}

double Json::as_double() const {
  const Node& node = document_->state_->nodes[node_];
  if (node.kind == Kind::integer)
    return node.is_unsigned ? static_cast<double>(node.natural) : static_cast<double>(node.integer);
  if (node.kind != Kind::real) fail("expected a number, found " + std::string(kind_name(node.kind)));
  return node.real;
}

std::string_view Json::as_string() const {
  expect(*this, kind(), Kind::string);
  return text_of(document_->state_->nodes[node_]);
}

size_t Json::size() const { return container(document_->state_->nodes, *this, node_).size; }

Json Json::operator[](size_t index) const {
  const Node& node = container(document_->state_->nodes, *this, node_);
  if (index >= node.size) fail("index " + std::to_string(index) + " is beyond the end of " + std::to_string(node.size));
  const uint32_t values = node.children.first + (node.kind == Kind::object ? node.size : 0);
  return {document_, values + static_cast<uint32_t>(index)};
}

std::optional<Json> Json::find(std::string_view key) const {
  expect(*this, kind(), Kind::object);
  const Node& node = document_->state_->nodes[node_];
  const uint32_t index = document_->state_->find(node, key);
  if (index == kNoIndex) return std::nullopt;
  return Json(document_, node.children.first + node.size + index);
}

Json Json::at(std::string_view key) const {
  if (auto found = find(key)) return *found;
  fail("the key \"" + std::string(key) + "\" is missing");
}

std::string_view Json::key(size_t index) const {
  expect(*this, kind(), Kind::object);
  const Node& node = document_->state_->nodes[node_];
  if (index >= node.size) fail("index " + std::to_string(index) + " is beyond the end of " + std::to_string(node.size));
  return text_of(document_->state_->nodes[node.children.first + index]);
}

std::string Json::path() const { return document_->state_->path_text(document_->state_->path_to(node_)); }

uint64_t Json::offset() const {
  const auto& state = *document_->state_;
  return state.base + json_offset(state.text(), state.path_to(node_));
}

void Json::fail(std::string what, std::string advice) const {
  throw Error(std::move(what), {.file = document_->file(), .field = path(), .offset = offset()}, std::move(advice));
}

}  // namespace braid
