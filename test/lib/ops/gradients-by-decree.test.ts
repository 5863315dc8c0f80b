import * as assert from "uvu/assert";
import { referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import { type Attributes, GraphBuilder, gradients } from "../../../lib/ir/index.ts";
import { type OperatorName, operatorTable } from "../../../lib/ops/index.ts";
import { type HostTensor, tensor } from "../../../lib/tensor/index.ts";
import { evaluate } from "../../support/evaluate.ts";
import { suite } from "../../support/suite.ts";

const test = suite("gradients that are agreed on, where slopes do not exist or are not wanted");

/** The gradient of Σ weights · operator(x) + Σ x · x with respect to x. */
async function gradientThrough(
  operator: OperatorName,
  attributes: Attributes,
  [x, weights]: readonly HostTensor[],
): Promise<number[]> {
  const builder = new GraphBuilder(operatorTable, operator);
  const value = builder.input("x", x, "parameter");
  const sum = (a: string, operands: readonly (typeof value)[]) =>
    builder.apply("sum", [builder.apply(a, operands)], { axes: [0] });
  const result = builder.apply(operator, [value], attributes);
  const weighted = sum("multiply", [result, builder.input("weights", weights, "data")]);
  const cast = weighted.type.dtype === x.dtype ? weighted : builder.apply("cast", [weighted], { dtype: x.dtype });
  const loss = builder.apply("add", [cast, sum("square", [value])]);
  builder.output("gradient", gradients(builder, loss, [value])[0]);
  const given = new Map([
    ["x", x],
    ["weights", weights],
  ]);
  return Array.from((await evaluate(builder.build(), given)).get("gradient") as ArrayLike<number>);
}

test("a cast passes gradients on in the dtype of its input", async () => {
  const x = tensor([1, 2], { dtype: "float64" });
  const through = await gradientThrough("cast", { dtype: "float32" }, [x, tensor([0.5, 0.1])]);
  // The gradient of a float32 is a float32, and 0.1 is rounded there.
  assert.equal(through, [2 + 0.5, 4 + Math.fround(0.1)]);
});

test("no gradient goes through whole numbers, nor where it is stopped", async () => {
  const x = tensor([1.5, -2]);
  assert.equal(await gradientThrough("stopGradient", {}, [x, tensor([7, 7])]), [3, -4]);
  const builder = new GraphBuilder(operatorTable, "whole");
  const value = builder.input("x", x, "parameter");
  const whole = builder.apply("cast", [builder.apply("cast", [value], { dtype: "int32" })], { dtype: "float32" });
  const loss = builder.apply("sum", [whole], { axes: [0] });
  assert.throws(() => gradients(builder, loss, [value]), "gradients: the loss must depend on every wanted value");
});

test("rounding passes gradients on as if it were not there, but rounded as well", async () => {
  const weights = tensor([1, 0.1, 1e-9]);
  const through = await gradientThrough("roundTo", { format: "float16" }, [tensor([0, 0, 0]), weights]);
  assert.equal(through, [1, 0.0999755859375, 0]);
});

const inputs = [
  [1, 1],
  [-2.5, -2.5],
  [1 / 3, 0.333251953125],
  [65519.9, 65504],
  [65520, Number.POSITIVE_INFINITY],
  [-1e9, Number.NEGATIVE_INFINITY],
  // The smallest float16 is 2⁻²⁴; half of it is a tie with 0, which is even.
  [2 ** -24, 2 ** -24],
  [2 ** -25, 0],
  [3 * 2 ** -25, 2 * 2 ** -24],
  [-(2 ** -20) - 2 ** -26, -(2 ** -20)],
  // A tie between 1 and 1 + 2⁻¹⁰, and one between that and 1 + 2⁻⁹.
  [1 + 2 ** -11, 1],
  [1 + 3 * 2 ** -11, 1 + 2 ** -9],
  [Number.NaN, Number.NaN],
] as const;

test("float16 has eleven significant bits, ties to even, a least number and a largest one", async () => {
  const builder = new GraphBuilder(operatorTable, "float16");
  const x = tensor(inputs.map(([value]) => value));
  builder.output("y", builder.apply("roundTo", [builder.input("x", x, "data")], { format: "float16" }));
  for (const engine of [referenceEngine(), wasmEngine()]) {
    const y = (await evaluate(builder.build(), new Map([["x", x]]), { engine })).get("y") as Float32Array;
    assert.equal(
      Array.from(y),
      inputs.map(([, rounded]) => rounded),
      engine.name,
    );
  }
});

test("whole numbers are cut toward 0, and the largest ones and NaN have a place", async () => {
  const builder = new GraphBuilder(operatorTable, "int32");
  const x = tensor([1.9, -1.9, 3e9, -3e9, Number.NaN]);
  builder.output("y", builder.apply("cast", [builder.input("x", x, "data")], { dtype: "int32" }));
  for (const engine of [referenceEngine(), wasmEngine()]) {
    const y = (await evaluate(builder.build(), new Map([["x", x]]), { engine })).get("y") as Int32Array;
    assert.equal(Array.from(y), [1, -1, 2147483647, -2147483648, 0], engine.name);
  }
});

test.run();
