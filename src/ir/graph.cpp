#include "ir/graph.h"

#include <algorithm>

#include "core/error.h"
#include "ir/builder.h"
#include "ir/op.h"

namespace braid {

const Type& Value::type() const { return builder->graph().type(id); }

const Dim& Value::dim(int i) const {
  const Type& t = type();
  const int index = i < 0 ? static_cast<int>(t.rank()) + i : i;
  if (index < 0 || index >= static_cast<int>(t.rank()))
    throw ShapeError("no dimension " + std::to_string(i) + " in " + to_string(t));
  return t.shape[static_cast<size_t>(index)];
}

Attrs::Attrs(std::initializer_list<std::pair<std::string_view, AttrValue>> entries) {
  for (const auto& [key, value] : entries) set(key, value);
}

void Attrs::set(std::string_view name, AttrValue value) {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), name,
                             [](const auto& e, std::string_view n) { return e.first < n; });
  if (at != entries_.end() && at->first == name)
    at->second = std::move(value);
  else
    entries_.emplace(at, std::string(name), std::move(value));
}

const AttrValue* Attrs::find(std::string_view name) const {
  for (const auto& [key, value] : entries_)
    if (key == name) return &value;
  return nullptr;
}

namespace {

template <class T>
const T& get(const AttrValue* value, std::string_view name) {
  if (value == nullptr) throw ShapeError("attribute \"" + std::string(name) + "\" is missing");
  const T* typed = std::get_if<T>(value);
  if (typed == nullptr) throw ShapeError("attribute \"" + std::string(name) + "\" is of another kind");
  return *typed;
}

}  // namespace

int64_t Attrs::integer(std::string_view name) const { return get<int64_t>(find(name), name); }
double Attrs::number(std::string_view name) const { return get<double>(find(name), name); }
const std::string& Attrs::text(std::string_view name) const { return get<std::string>(find(name), name); }
const std::vector<int64_t>& Attrs::list(std::string_view name) const {
  return get<std::vector<int64_t>>(find(name), name);
}
Format Attrs::format(std::string_view name) const { return get<Format>(find(name), name); }
const Graph& Attrs::graph(std::string_view name) const { return *get<std::shared_ptr<const Graph>>(find(name), name); }
std::shared_ptr<const Graph> Attrs::shared_graph(std::string_view name) const {
  return get<std::shared_ptr<const Graph>>(find(name), name);
}
const Tensor& Attrs::tensor(std::string_view name) const { return get<Tensor>(find(name), name); }
int64_t Attrs::integer_or(std::string_view name, int64_t fallback) const {
  return has(name) ? integer(name) : fallback;
}
double Attrs::number_or(std::string_view name, double fallback) const { return has(name) ? number(name) : fallback; }
std::string Attrs::text_or(std::string_view name, std::string fallback) const {
  return has(name) ? text(name) : fallback;
}

void Origin::merge(const Origin& other) {
  auto unite = [](std::vector<std::string>& into, const std::vector<std::string>& from) {
    for (const auto& text : from)
      if (std::find(into.begin(), into.end(), text) == into.end()) into.push_back(text);
  };
  unite(scopes, other.scopes);
  unite(ops, other.ops);
}

std::string_view name(Lifetime lifetime) {
  constexpr std::string_view kNames[] = {"token", "sequence", "source", "process"};
  return kNames[static_cast<size_t>(lifetime)];
}

std::vector<Type> Graph::operand_types(const Node& node) const {
  std::vector<Type> types;
  types.reserve(node.inputs.size());
  for (ValueId v : node.inputs) types.push_back(type(v));
  return types;
}

std::vector<uint32_t> Graph::use_counts() const {
  std::vector<uint32_t> uses(nodes_.size(), 0);
  for (const Node& node : nodes_)
    for (ValueId v : node.inputs) ++uses[v.node];
  for (const Output& o : outputs_) ++uses[o.value.node];
  for (const StateResult& s : state_results_) ++uses[s.value.node];
  return uses;
}

}  // namespace braid
