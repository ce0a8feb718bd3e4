#include "ops/samples/samples.h"

namespace braid::samples {
namespace {

const Dim kTokens(Symbol::tokens);

SymbolValues five_tokens() {
  SymbolValues sizes;
  sizes[Symbol::tokens] = 5;
  sizes[Symbol::slots] = 4;
  return sizes;
}

}  // namespace

std::vector<Sample> moves() {
  std::vector<Sample> samples;
  auto sample = [&](const std::string& name, const OpInfo& op, auto make) {
    Maker m(name, op, five_tokens());
    std::vector<Value> outputs = make(m);
    samples.push_back(m.finish(outputs, 0));
  };
  using Values = std::vector<Value>;
  sample("reshape splits heads", op::reshape, [](Maker& m) {
    return Values{reshape(m.input({kTokens, 12}), {kTokens, 3, 4})};
  });
  sample("reshape joins tokens and heads", op::reshape, [](Maker& m) {
    return Values{reshape(m.input({kTokens, 3, 4}), {kTokens * 3, 4})};
  });
  sample("transpose of four", op::transpose, [](Maker& m) {
    return Values{transpose(m.input({kTokens, 3, 2, 7}), {2, 0, 3, 1})};
  });
  sample("transpose of a matrix", op::transpose, [](Maker& m) { return Values{transpose(m.input({33, 17}), {1, 0})}; });
  sample("transpose keeps the last", op::transpose, [](Maker& m) {
    return Values{transpose(m.input({3, kTokens, 8}), {1, 0, 2})};
  });
  for (int axis : {0, 1, 2})
    sample("slice axis " + std::to_string(axis), op::slice, [axis](Maker& m) {
      return Values{slice(m.input({3, 4, 5}), axis, 1, 3)};
    });
  sample("slice of nothing", op::slice, [](Maker& m) { return Values{slice(m.input({kTokens, 4}), 1, 2, 2)}; });
  for (int axis : {0, 1, 2})
    sample("concat axis " + std::to_string(axis), op::concat, [axis](Maker& m) {
      const Value parts[] = {m.input({2, 3, 5}), m.input({2, 3, 5}), m.input({2, 3, 5})};
      return Values{concat(parts, axis)};
    });
  sample("concat of unlike tokens", op::concat, [](Maker& m) {
    const Value parts[] = {m.input({kTokens, 3}), m.input({1, 3}), m.input({kTokens * 2, 3})};
    return Values{concat(parts, 0)};
  });
  sample("broadcast of the middle", op::broadcast, [](Maker& m) {
    return Values{broadcast(m.input({kTokens, 1, 3}), {2, kTokens, 4, 3})};
  });
  sample("broadcast of a scalar", op::broadcast, [](Maker& m) {
    return Values{broadcast(m.builder().scalar(1.5), {kTokens, 3})};
  });
  sample("iota of tokens", op::iota, [](Maker& m) { return Values{iota(m.builder(), kTokens + 1)}; });
  for (Format format : {Format::f32, Format::bf16, Format::f16, Format::q8_0, Format::q4_0})
    sample("gather " + std::string(info(format).name), op::gather, [format](Maker& m) {
      Value table = m.weight({19, 64}, format);
      return Values{gather(table, m.indices({kTokens}, 0, 19))};
    });
  for (Format format : {Format::q5_1, Format::mxfp4, Format::q4_k, Format::q6_k})
    sample("gather " + std::string(info(format).name), op::gather, [format](Maker& m) {
      return Values{gather(m.weight({7, 256}, format), m.indices({kTokens}, 0, 7))};
    });
  for (Format format : {Format::q8_0, Format::q4_0})
    sample("gather interleaved " + std::string(info(format).name), op::gather, [format](Maker& m) {
      Value table = pack(m.weight({19, 64}, format), Layout::interleave16);
      return Values{gather(table, m.indices({kTokens, 2}, 0, 19))};
    });
  sample("gather single elements", op::gather, [](Maker& m) {
    return Values{gather(m.input({4, 5}), m.indices({kTokens}, 0, 20), 2)};
  });
  for (Format format : {Format::f32, Format::f16, Format::bf16})
    sample("scatter into " + std::string(info(format).name), op::scatter, [format](Maker& m) {
      Value state = m.state({Dim(Symbol::slots), 3, 5}, Lifetime::sequence, format);
      Value next = scatter(state, m.input({kTokens, 5}), m.integers({kTokens}, {11, 0, 7, 3, 4}), 2);
      m.keep(state, next);
      return Values{cast(gather(next, m.integers({2}, {0, 3})), Format::f32)};
    });
  sample("group with empty groups", op::group, [](Maker& m) {
    Group g = group(m.integers({kTokens}, {4, 1, 4, 1, 6}), 8);
    return Values{g.order, g.offsets, g.inverse};
  });
  for (Format format : {Format::q8_0, Format::q4_0, Format::q8_act})
    sample("quantize to " + std::string(info(format).name), op::quantize, [format](Maker& m) {
      return Values{quantize(m.input({kTokens, 96}), format)};
    });
  for (Format format : {Format::q8_0, Format::q4_0})
    sample("pack " + std::string(info(format).name), op::pack, [format](Maker& m) {
      return Values{pack(m.weight({21, 96}, format), Layout::interleave16)};
    });
  return samples;
}

}  // namespace braid::samples
