import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import { headerBytes } from "../../../lib/engine/wasm/barrier.ts";
import { emitProgram } from "../../../lib/engine/wasm/emit-program.ts";
import { detectFeatures } from "../../../lib/engine/wasm/features.ts";
import { GraphBuilder } from "../../../lib/ir/index.ts";
import { type OperatorName, operatorTable } from "../../../lib/ops/index.ts";
import { errorFunction, random } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("arithmetic of the wasm engine");

/** Both ways in which `multiplyAdd` can be done, where this runtime has both. */
const variants = [...new Set([detectFeatures().multiplyAdd, false])];

/** One operator applied to numbers. */
function apply(
  operator: OperatorName,
  inputs: readonly Float32Array[],
  multiplyAdd: boolean,
): Float32Array | Int32Array {
  const builder = new GraphBuilder(operatorTable, operator);
  const { length } = inputs[0];
  const values = inputs.map((_, index) => builder.input(`x${index}`, { shape: [length], dtype: "float32" }, "data"));
  const result = builder.apply(operator, values);
  builder.output("y", result);
  const program = wasmEngine().compile(makeSchedule(builder.build()));
  const emitted = emitProgram(program, 1, { multiplyAdd });
  const memory = new WebAssembly.Memory({ initial: emitted.pages });
  const place = (id: number): number => headerBytes + (program.offsets.get(id) as number);
  for (const [index, numbers] of inputs.entries()) {
    new Float32Array(memory.buffer, place(values[index].id), length).set(numbers);
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(emitted.bytes), { host: { memory } });
  (exports.run as (thread: number) => void)(0);
  const array = result.type.dtype === "int32" ? Int32Array : Float32Array;
  const count = result.type.shape.length === 0 ? 1 : length;
  return new array(memory.buffer, place(result.id), count).slice();
}

/** Distance of a float32 from a true value in units of the true value's last place. */
function unitsApart(actual: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(actual, rounded) || actual === rounded) return 0;
  if (Number.isNaN(actual) && Number.isNaN(exact)) return 0;
  const unit = Math.max(2 ** (Math.floor(Math.log2(Math.abs(exact))) - 23), 2 ** -149);
  return Math.abs(actual - exact) / unit;
}

const specials = [0, -0, 1, -1, Infinity, -Infinity, NaN, 1e-45, -1e-45, 1e-38, 3.4e38, -3.4e38, 88.7, -103.9, 0.625];

const functions = [
  { operator: "exp", exact: Math.exp, low: -104, high: 89, units: 2 },
  { operator: "exp", exact: Math.exp, low: -1, high: 1, units: 2 },
  { operator: "log", exact: Math.log, low: 0, high: 10, units: 3 },
  { operator: "log", exact: Math.log, low: 0, high: 2 ** -120, units: 3 },
  { operator: "tanh", exact: Math.tanh, low: -10, high: 10, units: 4 },
  { operator: "tanh", exact: Math.tanh, low: -0.01, high: 0.01, units: 4 },
  { operator: "erf", exact: errorFunction, low: -6, high: 6, units: 8 },
  { operator: "erf", exact: errorFunction, low: -0.01, high: 0.01, units: 8 },
  { operator: "sigmoid", exact: (x: number) => 1 / (1 + Math.exp(-x)), low: -90, high: 90, units: 4 },
] as const;

for (const { operator, exact, low, high, units } of functions) {
  test(`${operator} is within ${units} units in the last place from ${low} to ${high}, and right at special numbers`, () => {
    const draw = random(11);
    const numbers = Float32Array.from({ length: 20_000 }, (_, index) =>
      index < specials.length ? specials[index] : low + (high - low) * draw.nextUniform(),
    );
    for (const multiplyAdd of variants) {
      const results = apply(operator, [numbers], multiplyAdd);
      let worst = { units: 0, at: 0 };
      for (const [index, x] of numbers.entries()) {
        const apart = unitsApart(results[index], exact(x));
        if (!(apart <= worst.units)) worst = { units: apart, at: x };
      }
      const where = `${worst.units} units at ${worst.at}, ${multiplyAdd ? "fused" : "separate"} multiply-add`;
      assert.ok(worst.units <= units, where);
    }
  });
}

const exactly: Partial<Record<OperatorName, (a: number, b: number) => number>> = {
  negate: (a) => -a,
  abs: Math.abs,
  sign: Math.sign,
  square: (a) => a * a,
  sqrt: Math.sqrt,
  relu: (a) => Math.max(a, 0),
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  greaterOrEqual: (a, b) => (a >= b ? 1 : 0),
  reluGradient: (a, b) => (b > 0 ? a : 0),
};

for (const [operator, exact] of Object.entries(exactly) as [OperatorName, (a: number, b: number) => number][]) {
  test(`${operator} is rounded exactly, for all pairs of special numbers`, () => {
    const a = Float32Array.from(specials.flatMap((x) => specials.map(() => x)));
    const b = Float32Array.from(specials.flatMap(() => specials));
    const binary = exact.length === 2 || operator === "maximum" || operator === "minimum";
    const results = apply(operator, binary ? [a, b] : [a], detectFeatures().multiplyAdd);
    for (const [index, actual] of results.entries()) {
      const expected = Math.fround(exact(a[index], b[index]));
      const same = actual === expected || (Number.isNaN(actual) && Number.isNaN(expected));
      assert.ok(same, `${operator}(${a[index]}, ${b[index]}) is ${actual}, not ${expected}`);
    }
  });
}

test("argmax passes over NaN as its definition does, and takes the first of equals", () => {
  const rows = [
    [1, 3, 3, 2],
    [Number.NaN, 5, 1, 2],
    [1, Number.NaN, 0, 4],
    [-Infinity, -Infinity, -Infinity, -Infinity],
    [0, 0, 0, 0],
    [Infinity, Infinity, Number.NaN, 1],
  ];
  for (const row of rows) {
    const definition = new Int32Array(1);
    const data = Float32Array.from(row);
    operatorTable.argmax.compute(
      [{ shape: [4], dtype: "float32", data }],
      [{ shape: [], dtype: "int32", data: definition }],
      {},
    );
    assert.is(apply("argmax", [data], true)[0], definition[0], row.join());
  }
});

test("max pooling finds the first of the largest as its definition does, for every window of special numbers", async () => {
  const numbers = [0, 1, -1, Infinity, -Infinity, NaN];
  const four = numbers.flatMap((a) => numbers.flatMap((b) => numbers.flatMap((c) => numbers.map((d) => [a, b, c, d]))));
  const size = 2 * Math.sqrt(four.length);
  const pictures = new Float32Array(size * size);
  for (const [window, elements] of four.entries()) {
    const [row, column] = [2 * Math.floor((2 * window) / size), (2 * window) % size];
    for (const [index, element] of elements.entries()) {
      pictures[(row + Math.floor(index / 2)) * size + column + (index % 2)] = element;
    }
  }
  // With a margin windows lie across those that were made, and at the edges they are smaller.
  for (const padding of [0, 1]) {
    const builder = new GraphBuilder(operatorTable, "pool");
    const x = builder.input("x", { shape: [1, 1, size, size], dtype: "float32" }, "data");
    const attributes = { kernel: [2, 2], stride: [2, 2], padding: [padding, padding] };
    for (const [index, output] of builder.applyAll("maxPool2d", [x], attributes).entries()) {
      builder.output(`y${index}`, output);
    }
    const schedule = makeSchedule(builder.build());
    const results = [];
    for (const engine of [referenceEngine(), wasmEngine()]) {
      const execution = await engine.load(engine.compile(schedule));
      execution.input("x").set(pictures);
      execution.run();
      // As text, of which there is one for all NaN and one for both zeros.
      results.push(["y0", "y1"].map((name) => Array.from(execution.output(name), (value) => `${value}`)));
      execution.dispose();
    }
    assert.equal(results[1], results[0], `padding ${padding}`);
  }
});

test.run();
