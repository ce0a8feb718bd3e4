#include "backend/backend.h"

namespace braid {

Tensor WeightStore::get(const Node& parameter) {
  const std::string& name = parameter.attrs.text("name");
  if (auto it = tensors_.find(name); it != tensors_.end()) return it->second;
  Tensor tensor;
  if (parameter.attrs.has("load")) {
    const Graph& load = parameter.attrs.graph("load");
    tensor = run_(load, *source_);
    packed_bytes_ += tensor.byte_size();
    for (uint32_t n : load.parameters()) {
      const std::string& leaf = load.node(n).attrs.text("name");
      if (tensors_.find(leaf) == tensors_.end()) source_->release(leaf);
    }
  } else {
    tensor = source_->get(name);
    mapped_bytes_ += tensor.byte_size();
  }
  tensors_.emplace(name, tensor);
  return tensor;
}

}  // namespace braid
