import * as assert from "uvu/assert";
import { type Engine, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import { type Attributes, GraphBuilder } from "../../../lib/ir/index.ts";
import { noIndex, type OperatorName, operatorTable } from "../../../lib/ops/index.ts";
import { type HostTensor, tensor } from "../../../lib/tensor/index.ts";
import { evaluate } from "../../support/evaluate.ts";
import { suite } from "../../support/suite.ts";

const test = suite("convolution and pooling");

async function results(
  engine: Engine,
  operator: OperatorName,
  inputs: readonly HostTensor[],
  attributes: Attributes,
): Promise<number[][]> {
  const builder = new GraphBuilder(operatorTable, operator);
  const values = inputs.map((input, index) => builder.input(`x${index}`, input, "data"));
  const outputs = builder.applyAll(operator, values, attributes);
  for (const [index, output] of outputs.entries()) builder.output(`y${index}`, output);
  const given = new Map(inputs.map((input, index) => [`x${index}`, input]));
  const computed = await evaluate(builder.build(), given, { engine });
  return outputs.map((_, index) => Array.from(computed.get(`y${index}`) as ArrayLike<number>));
}

const engines = [referenceEngine(), wasmEngine()];
const count = (...shape: number[]): HostTensor => {
  const elements = shape.reduce((product, extent) => product * extent, 1);
  return tensor(
    Array.from({ length: elements }, (_, index) => index + 1),
    { shape },
  );
};

for (const engine of engines) {
  test(`${engine.name}: a filter is moved over the picture as it is, not turned round`, async () => {
    // 1 2 3      1 2      1+4+12+20 = 37  47
    // 4 5 6  and 3 4      67              77
    // 7 8 9
    assert.equal(await results(engine, "convolution2d", [count(1, 1, 3, 3), count(1, 1, 2, 2)], {}), [
      [37, 47, 67, 77],
    ]);
  });

  test(`${engine.name}: margins are zeros, strides skip, dilation spreads`, async () => {
    const picture = count(1, 1, 3, 3);
    const corners = { stride: [2, 2], padding: [1, 1] };
    // Each corner and its neighbours outside: the last, 4th, element of the filter meets 1, and so on.
    assert.equal(await results(engine, "convolution2d", [picture, count(1, 1, 2, 2)], corners), [[4, 18, 36, 77]]);
    const wide = { dilation: [2, 2] };
    assert.equal(await results(engine, "convolution2d", [picture, count(1, 1, 2, 2)], wide), [
      [1 * 1 + 2 * 3 + 3 * 7 + 4 * 9],
    ]);
  });

  test(`${engine.name}: the filters of a group see its channels only`, async () => {
    // Channels are 1 and 2; filters of one weight each: 1, 2 for the first group, 3, 4 for the second.
    assert.equal(await results(engine, "convolution2d", [count(1, 2, 1, 1), count(4, 1, 1, 1)], { groups: 2 }), [
      [1, 2, 6, 8],
    ]);
  });

  test(`${engine.name}: of equal largest elements the first one counts, and gets all of the gradient`, async () => {
    const flat = tensor([3, 3, 3, 3], { shape: [1, 1, 2, 2] });
    const window = { kernel: [2, 2] };
    assert.equal(await results(engine, "maxPool2d", [flat], window), [[3], [0]]);
    const index = tensor([0], { shape: [1, 1, 1, 1], dtype: "int32" });
    const back = await results(engine, "maxPool2dGradient", [count(1, 1, 1, 1), index], { ...window, size: [2, 2] });
    assert.equal(back, [[1, 0, 0, 0]]);
  });

  test(`${engine.name}: NaN comes through a maximum and has no place; so has nothing but −∞`, async () => {
    const low = Number.NEGATIVE_INFINITY;
    const x = tensor([1, Number.NaN, low, low], { shape: [1, 1, 1, 4] });
    assert.equal(await results(engine, "maxPool2d", [x], { kernel: [1, 2], stride: [1, 2] }), [
      [Number.NaN, low],
      [noIndex, noIndex],
    ]);
  });

  test(`${engine.name}: a mean counts the margin as zeros`, async () => {
    const window = { kernel: [2, 2], padding: [1, 1], stride: [2, 2] };
    assert.equal(await results(engine, "averagePool2d", [tensor([4], { shape: [1, 1, 1, 1] })], window), [[1]]);
  });
}

test.run();
