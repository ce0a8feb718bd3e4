// GGUF's nvfp4: the factor of a tensor (of each matrix, where experts are stacked) lies in another one, NAME.scale.
#include "formats/e2m1.h"
#include "formats/formats.h"
#include "formats/small_float.h"
#include "models/schemes/scheme.h"

namespace braid {

std::shared_ptr<const QuantizedCheckpoint> QuantizedCheckpoint::open(std::shared_ptr<const Checkpoint> gguf) {
  constexpr std::string_view kWeight = ".weight";
  constexpr int64_t kGroup = 16, kBlock = 64, kBlockBytes = 36;
  const std::shared_ptr<QuantizedCheckpoint> made(new QuantizedCheckpoint(std::move(gguf)));
  for (const std::string& name : made->checkpoint_->names()) {
    if (!name.ends_with(kWeight) || made->checkpoint_->entry(name)->format != Format::nvfp4) continue;
    const QuantizedModule m(*made->checkpoint_, name.substr(0, name.size() - kWeight.size()));
    if (!m.has("scale")) continue;
    const Tensor weight = m.tensor("weight", {Format::nvfp4}, m.entry("weight").shape.size());
    const std::vector<float> factors = floats_of(m.tensor("scale", {Format::f32}, m.entry("scale").shape.size()));
    CodedWeight w{.name = name,
                  .stored = m.present({"weight", "scale", "input_scale"}),
                  .shape = weight.shape,
                  .group = kGroup,
                  .formats = {Format::e2m1_g16},
                  .scale_tensor = m.path("scale"),
                  .read = {}};
    const int64_t matrices = weight.shape.size() == 3 ? weight.shape[0] : 1, columns = w.columns();
    if (factors.size() != 1 && static_cast<int64_t>(factors.size()) != matrices)
      m.fail("scale", std::to_string(factors.size()) + " factors for " + std::to_string(matrices) + " matrices");
    const int64_t shared = factors.size() == 1 ? w.rows() : w.rows() / matrices;
    w.read = [=](const CodedRows& to) {
      const auto* block = weight.data<uint8_t>() + to.begin * columns / kBlock * kBlockBytes;
      for (int64_t at = 0; at < to.count * columns; at += kBlock, block += kBlockBytes)
        for (int64_t g = 0; g < kBlock / kGroup; ++g) {
          const uint32_t scale = block[g] & 127u;
          const int64_t row = to.begin + at / columns;
          to.scales[static_cast<size_t>(at / kGroup + g)] =
              scale == 127 ? 0 : SmallFloat<4, 3, false>::decode(scale) * factors[static_cast<size_t>(row / shared)];
          for (int64_t i = 0; i < 8; ++i) {
            const uint8_t byte = block[4 + 8 * g + i];
            to.codes[static_cast<size_t>(at + kGroup * g + i)] = byte & 15;
            to.codes[static_cast<size_t>(at + kGroup * g + i + 8)] = byte >> 4;
          }
        }
    };
    made->add(std::move(w));
  }
  if (made->weights_.empty()) return nullptr;
  made->finish();
  return made;
}

}  // namespace braid
