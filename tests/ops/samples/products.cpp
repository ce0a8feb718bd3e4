#include "ops/samples/samples.h"

namespace braid::samples {
namespace {

const Dim kTokens(Symbol::tokens);

SymbolValues tokens_are(int64_t tokens) {
  SymbolValues sizes;
  sizes[Symbol::tokens] = tokens;
  return sizes;
}

Sample product(Format x, Format w, int64_t tokens, int64_t n, int64_t k) {
  const std::string name = "contract " + std::string(info(x).name) + " x " + std::string(info(w).name) + " " +
                           std::to_string(tokens) + "x" + std::to_string(n) + "x" + std::to_string(k);
  Maker m(name, op::contract, tokens_are(tokens));
  Value in = m.input({kTokens, k});
  if (x == Format::q8_act) in = quantize(in, x);
  if (x == Format::bf16 || x == Format::f16) in = cast(in, x);
  return m.finish({contract(in, m.weight({n, k}, w))}, static_cast<double>(k));
}

std::shared_ptr<const Graph> product_body(const Type& x, const Type& gate, const Type& up) {
  Builder b;
  Value in = b.input("x", x);
  const Value weights[] = {b.input("gate", gate), b.input("up", up)};
  std::vector<Value> both = contract_all(in, weights);
  b.output("y", silu(both[0]) * both[1]);
  return std::make_shared<const Graph>(b.finish());
}

}  // namespace

std::vector<Sample> products() {
  std::vector<Sample> samples;
  // One row, few, many; columns below, at and just over a tile of 16; rows of one block and of several.
  for (Format w : {Format::f32, Format::bf16, Format::f16, Format::q8_0, Format::q4_0})
    for (auto [tokens, n, k] : {std::array<int64_t, 3>{1, 1, 32}, {1, 17, 64}, {3, 16, 96}, {9, 33, 64}, {65, 48, 128}})
      samples.push_back(product(Format::f32, w, tokens, n, k));
  for (Format w : {Format::f32, Format::bf16, Format::f16})
    for (auto [tokens, n, k] : {std::array<int64_t, 3>{1, 3, 1}, {2, 5, 7}, {5, 19, 33}, {130, 7, 300}})
      samples.push_back(product(Format::f32, w, tokens, n, k));
  for (Format w : {Format::q8_0, Format::q4_0})
    for (auto [tokens, n, k] : {std::array<int64_t, 3>{1, 1, 32}, {1, 40, 256}, {7, 17, 64}, {33, 33, 96}})
      samples.push_back(product(Format::q8_act, w, tokens, n, k));
  for (Format w : {Format::q4_1, Format::q5_0, Format::q5_1, Format::iq4_nl, Format::mxfp4, Format::q4_k, Format::q5_k,
                   Format::q6_k})  // decoded where they are multiplied
    for (auto [tokens, n] : {std::array<int64_t, 2>{1, 17}, {18, 5}})
      samples.push_back(product(Format::f32, w, tokens, n, 256));
  samples.push_back(product(Format::bf16, Format::bf16, 5, 17, 64));
  samples.push_back(product(Format::f16, Format::f16, 5, 17, 64));
  {
    Maker m("contract with weights of three formats", op::contract, tokens_are(4));
    Value x = m.input({kTokens, 64});
    const Value weights[] = {m.weight({17, 64}, Format::q4_0), m.weight({5, 64}, Format::bf16),
                             m.weight({33, 64}, Format::q8_0)};
    samples.push_back(m.finish(contract_all(x, weights), 64));
  }
  {
    Maker m("contract with an integer and a decoded weight", op::contract, tokens_are(3));
    Value x = m.input({kTokens, 256});
    const Value weights[] = {m.weight({17, 256}, Format::q8_0), m.weight({5, 256}, Format::q6_k)};
    samples.push_back(m.finish(contract_all(x, weights), 256));
  }
  for (Format w : {Format::q8_0, Format::q4_0}) {
    Maker m("contract interleaved " + std::string(info(w).name), op::contract, tokens_are(3));
    Value packed = pack(m.weight({37, 64}, w), Layout::interleave16);
    samples.push_back(m.finish({contract(quantize(m.input({kTokens, 64}), Format::q8_act), packed)}, 64));
  }
  {
    Maker m("contract in batches", op::contract, tokens_are(5));
    samples.push_back(m.finish({contract(m.input({3, kTokens, 33}), m.input({3, 7, 33}))}, 33));
  }
  for (Format w : {Format::f32, Format::bf16, Format::q8_0, Format::q4_0, Format::mxfp4}) {
    Maker m("contract grouped " + std::string(info(w).name), op::contract, tokens_are(7));
    Value x = m.input({kTokens, 64});
    Group g = group(m.integers({kTokens}, {2, 0, 2, 3, 0, 2, 2}), 4);  // group 1 is empty
    std::vector<Value> weights;
    for (int e = 0; e < 4; ++e) weights.push_back(m.weight({17, 64}, w));
    Value y = contract_grouped(gather(x, g.order), g.offsets, weights);
    samples.push_back(m.finish({gather(y, g.inverse)}, 64));
  }
  struct Case {
    Shape x, w;
    Conv how;
  };
  const Case kConvs[] = {
      {{1, 1, 5}, {1, 1, 1}, {{1}, {0}, 1}},
      {{2, 6, 17}, {4, 6, 3}, {{2}, {1}, 1}},
      {{2, 3, 9, 7}, {5, 3, 3, 3}, {{1, 1}, {1, 1}, 1}},
      {{1, 4, 11, 8}, {6, 2, 3, 2}, {{2, 1}, {0, 1}, 2}},
      {{1, 8, 7, 7}, {8, 1, 7, 7}, {{2, 2}, {3, 3}, 8}},
  };
  for (const Case& c : kConvs) {
    Maker m("conv " + to_string(Type{c.x, Format::f32, {}}) + " " + to_string(Type{c.w, Format::f32, {}}), op::conv);
    double taps = 1;
    for (size_t i = 1; i < c.w.size(); ++i) taps *= static_cast<double>(c.w[i].number());
    samples.push_back(m.finish({conv(m.input(c.x), m.weight(c.w), c.how)}, taps));
  }
  {
    // The first probe of the house: a fused product whose weights are quantised, each in its own format.
    Maker m("fused product with q4_0 and q8_0 weights", op::fused, tokens_are(3));
    Value x = m.input({kTokens, 64}), gate = m.weight({33, 64}, Format::q4_0), up = m.weight({33, 64}, Format::q8_0);
    auto body = product_body(x.type(), gate.type(), up.type());
    samples.push_back(m.finish(fused(m.builder(), {x, gate, up}, body), 64 + 128));
  }
  return samples;
}

}  // namespace braid::samples
