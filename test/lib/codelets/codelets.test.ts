import * as assert from "uvu/assert";
import * as blocks from "../../../lib/codelets/index.ts";
import { codeletTable as codelets } from "../../../lib/codelets/index.ts";
import { devices, execute, Graph } from "../../../lib/graph/index.ts";
import { Engine } from "../../../lib/simulator/index.ts";
import { decodeHalf, encodeHalf, type Random, random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";
import { runVertex, zeros } from "./run-vertex.ts";

const test = suite("library codelets");

const half = (value: number): number => decodeHalf("float16", encodeHalf("float16", value));
const single = Math.fround;

const numbers = (draw: Random, count: number): number[] =>
  Array.from({ length: count }, () => single(draw.nextNormal()));

test("cycles are those of the published estimators", () => {
  const long = zeros(1200);
  const three = { left: long, right: long, out: long };
  const inPlace = { values: long, operand: long };
  const two = { in: long, out: long };
  assert.is(runVertex(codelets.add, three).cycles, 1985);
  assert.is(runVertex(codelets.subtract, three).cycles, 1985);
  assert.is(runVertex(codelets.multiply, three).cycles, 1985);
  assert.is(runVertex(codelets.addHalf, three).cycles, 1067);
  assert.is(runVertex(codelets.addInPlace, inPlace).cycles, 2159);
  assert.is(runVertex(codelets.exp, two).cycles, 3818);
  assert.is(runVertex(codelets.castToHalf, two).cycles, 846);
  assert.is(runVertex(codelets.reluInPlace, { values: long }).cycles, 771);
  assert.is(runVertex(codelets.tanhInPlace, { values: long }).cycles, 6165);
  const matrices = { left: zeros(96 * 16), right: zeros(16 * 16), out: zeros(96 * 16) };
  assert.is(runVertex(codelets.matmulPartialHalf, { ...matrices, rows: 96, inner: 16, columns: 16 }).cycles, 711);
  // One worker's cycle is six of its tile.
  assert.is(runVertex(codelets.fill, { out: long, value: 1 }).cycles, 6 * 623);
  assert.is(runVertex(codelets.reduceSum, { in: zeros(1024), out: [0] }).cycles, 6 * 529);
});

test("cycles follow the formulas where nothing divides", () => {
  const draw = random(1);
  for (let time = 0; time < 40; time++) {
    const count = integer(draw, 1, 200);
    const some = zeros(count);
    const two = { in: some, out: some };
    const perWorker = (width: number): number => Math.ceil(Math.ceil(count / width) / 6);
    assert.is(runVertex(codelets.add, { left: some, right: some, out: some }).cycles, 6 * (29 + 3 * perWorker(2)) + 11);
    assert.is(
      runVertex(codelets.addHalf, { left: some, right: some, out: some }).cycles,
      6 * (26 + 3 * perWorker(4)) + 11,
    );
    for (const [name, turn] of [
      ["log", 12],
      ["tanh", 12],
      ["sqrt", 10],
      ["relu", 3],
    ] as const) {
      assert.is(runVertex(codelets[name], two).cycles, 6 * (17 + turn * perWorker(2)) + 20, name);
    }
    assert.is(runVertex(codelets.fill, { out: some, value: 1 }).cycles, 6 * (23 + Math.floor(count / 2) + (count % 2)));
    assert.is(
      runVertex(codelets.reduceSum, { ...two, out: [0] }).cycles,
      6 * (17 + 2 * Math.floor(count / 4) + (count % 4)),
    );
  }
});

test("a product of several groups of channels loads each group's weights and passes all rows", () => {
  const [rows, inner, columns] = [10, 40, 20];
  const matrices = { left: zeros(rows * inner), right: zeros(inner * columns), out: zeros(rows * columns) };
  const extents = { rows, inner, columns };
  assert.is(runVertex(codelets.matmulPartialHalf, { ...matrices, ...extents }).cycles, 263 + 6 * (64 + 6 * 4 * 2));
  assert.is(runVertex(codelets.matmulPartial, { ...matrices, ...extents }).cycles, 263 + 3 * 3 * (64 + 6 * 8 * 2));
});

test("element-wise codelets compute what plain loops do, rounded to their type", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const draw = random(seed);
    const count = integer(draw, 0, 30);
    const [left, right] = [numbers(draw, count), numbers(draw, count)];
    const scale = single(draw.nextNormal());
    for (const [suffix, round] of [
      ["", single],
      ["Half", half],
    ] as const) {
      const [a, b, s] = [left.map(round), right.map(round), round(scale)];
      const expected = {
        add: a.map((x, i) => round(x + b[i])),
        subtract: a.map((x, i) => round(x - b[i])),
        multiply: a.map((x, i) => round(x * b[i])),
      };
      for (const name of ["add", "subtract", "multiply"] as const) {
        const apart = runVertex(codelets[`${name}${suffix}`], { left, right, out: zeros(count) });
        assert.equal(apart.values.out, expected[name], `${name}${suffix}, seed ${seed}`);
        const inPlace = runVertex(codelets[`${name}InPlace${suffix}`], { values: left, operand: right });
        assert.equal(inPlace.values.values, expected[name], `${name}InPlace${suffix}, seed ${seed}`);
        assert.equal(inPlace.values.operand, b);
      }
      const scaled = runVertex(codelets[`scaledAdd${suffix}`], { values: left, operand: right, scale: [scale] });
      assert.equal(
        scaled.values.values,
        a.map((x, i) => round(x + s * b[i])),
        `scaledAdd${suffix}, seed ${seed}`,
      );
    }
  }
});

test("functions of one vector compute what Math does", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const draw = random(seed);
    const values = numbers(draw, integer(draw, 0, 30));
    const positive = values.map(Math.abs);
    const out = zeros(values.length);
    const relu = values.map((x) => Math.max(x, 0));
    assert.equal(
      runVertex(codelets.exp, { in: values, out }).values.out,
      values.map((x) => single(Math.exp(x))),
    );
    assert.equal(
      runVertex(codelets.log, { in: positive, out }).values.out,
      positive.map((x) => single(Math.log(x))),
    );
    assert.equal(
      runVertex(codelets.sqrt, { in: positive, out }).values.out,
      positive.map((x) => single(Math.sqrt(x))),
    );
    assert.equal(
      runVertex(codelets.tanh, { in: values, out }).values.out,
      values.map((x) => single(Math.tanh(x))),
    );
    assert.equal(runVertex(codelets.relu, { in: values, out }).values.out, relu);
    assert.equal(runVertex(codelets.reluInPlace, { values }).values.values, relu);
    assert.equal(
      runVertex(codelets.tanhInPlace, { values }).values.values,
      values.map((x) => single(Math.tanh(x))),
    );
    assert.equal(runVertex(codelets.castToHalf, { in: values, out }).values.out, values.map(half));
    assert.equal(
      runVertex(codelets.fill, { out, value: 2.5 }).values.out,
      out.map(() => 2.5),
    );
    const sum = values.reduce((total, x) => single(total + x), 0);
    assert.equal(runVertex(codelets.reduceSum, { in: values, out: [7] }).values.out, [sum]);
  }
});

test("relu's gradient is that of central differences away from 0", () => {
  const draw = random(3);
  const values = numbers(draw, 50);
  const delta = numbers(draw, 50);
  const step = 1e-6;
  const activation = values.map((x) => Math.max(x, 0));
  const { out } = runVertex(codelets.reluGradient, { activation, delta, out: zeros(50) }).values;
  for (const [i, x] of values.entries()) {
    assert.ok(Math.abs(x) > step);
    const slope = (Math.max(x + step, 0) - Math.max(x - step, 0)) / (2 * step);
    assert.ok(Math.abs(out[i] - delta[i] * slope) <= 1e-8 * Math.max(1, Math.abs(delta[i])), `element ${i}`);
  }
});

test("a product is that of sums over rows and columns in double precision, to single precision", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const draw = random(seed);
    const [rows, inner, columns] = [integer(draw, 1, 7), integer(draw, 1, 20), integer(draw, 1, 7)];
    for (const [name, round] of [
      ["matmulPartial", single],
      ["matmulPartialHalf", half],
    ] as const) {
      const left = numbers(draw, rows * inner).map(round);
      const right = numbers(draw, inner * columns).map(round);
      const given = { left, right, out: zeros(rows * columns), rows, inner, columns };
      const { out } = runVertex(codelets[name], given).values;
      for (const [place, value] of out.entries()) {
        let sum = 0;
        let magnitude = 0;
        for (let k = 0; k < inner; k++) {
          const product = left[Math.floor(place / columns) * inner + k] * right[k * columns + (place % columns)];
          sum += product;
          magnitude += Math.abs(product);
        }
        // Higham, Accuracy and Stability of Numerical Algorithms, 3.1: n roundings of 2^-24 each.
        assert.ok(Math.abs(value - sum) <= (inner + 1) * 2 ** -24 * magnitude, `${name}, seed ${seed}, place ${place}`);
      }
    }
  }
});

test("fields that do not go together are named when the engine is built", () => {
  const wrong = { left: zeros(3), right: zeros(4), out: zeros(3) };
  assert.throws(
    () => runVertex(codelets.add, wrong),
    /^vertex 0, tested\/BinaryOp1D<add,float>: .* got "fields must have one length, got left 3, right 4, out 3; connect/,
  );
  assert.throws(() => runVertex(codelets.addInPlace, { values: zeros(3), operand: zeros(2) }), /values 3, operand 2/);
  assert.throws(() => runVertex(codelets.exp, { in: zeros(3), out: zeros(2) }), /in 3, out 2/);
  assert.throws(
    () => runVertex(codelets.matmulPartial, { ...wrong, rows: 1, inner: 3, columns: 2 }),
    /fields must be \[1,3\], \[3,2\] and \[1,2\], got 3, 4 and 3 elements/,
  );
});

test("a dense layer over tiles, products then sums, equals the loops of a textbook", () => {
  const draw = random(11);
  const [batch, inputs, outputs, parts] = [6, 32, 8, 4];
  const graph = new Graph(devices.lecture);
  const x = graph.addVariable("float", [parts, batch, inputs / parts], "x");
  const weights = graph.addVariable("float", [inputs, outputs], "weights");
  const partials = graph.addVariable("float", [parts, batch, outputs], "partials");
  const y = graph.addVariable("float", [batch, outputs], "y");
  graph.mapLinearly(y);
  const products = graph.addComputeSet("dense/products");
  const sums = graph.addComputeSet("dense/sums");
  const depth = inputs / parts;
  for (let part = 0; part < parts; part++) {
    const rows = weights.slice(part * depth, (part + 1) * depth);
    for (const tensor of [x.index(part), rows, partials.index(part)]) graph.setTileMapping(tensor, part * 4);
    const edges = {
      left: x.index(part),
      right: rows,
      out: partials.index(part),
      rows: batch,
      inner: depth,
      columns: outputs,
    };
    graph.setTileMapping(graph.addVertex(products, codelets.matmulPartial, edges), part * 4);
  }
  for (let place = 0; place < batch * outputs; place++) {
    const [row, column] = [Math.floor(place / outputs), place % outputs];
    const edges = { in: partials.slice(row, row + 1, 1).slice(column, column + 1, 2), out: y.index(row, column) };
    const vertex = graph.addVertex(sums, codelets.reduceSum, { ...edges, in: edges.in.flatten() });
    graph.setTileMapping(vertex, Math.floor((place * 16) / (batch * outputs)));
  }
  const values = draw.normal([batch, inputs]);
  const matrix = draw.normal([inputs, outputs]);
  const program = { kind: "sequence", programs: [execute(products), execute(sums)] } as const;
  const engine = new Engine(graph, program);
  const blocked = Array.from({ length: batch * inputs }, (_, i) => {
    const [part, row, k] = [Math.floor(i / (batch * depth)), Math.floor(i / depth) % batch, i % depth];
    return values.data[row * inputs + part * depth + k];
  });
  const result = engine.writeTensor(x, blocked).writeTensor(weights, matrix).run().readTensor(y);
  for (let place = 0; place < batch * outputs; place++) {
    let sum = 0;
    for (let k = 0; k < inputs; k++) {
      sum += values.data[Math.floor(place / outputs) * inputs + k] * matrix.data[k * outputs + (place % outputs)];
    }
    assert.ok(Math.abs(result.data[place] - sum) < 1e-5 * Math.max(1, Math.abs(sum)), `element ${place}`);
  }
});

test("convolutions, products, reductions and pooling of blocks cost what the published estimators say", () => {
  const { gc200 } = devices;
  const geometry = { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1], width: 96, mapWidth: 96 };
  const rows = {
    samples: 1,
    channelGroups: 1,
    mapGroups: 1,
    row: 0,
    rowStep: 1,
    rows: 1,
    mapRow: 0,
    mapRowStep: 1,
    mapRows: 1,
  };
  const list = (elements: number) => ({ length: 1, elements });
  // 16 pixels a worker through one block of 16 × 16 weights: 327 + 24 · 16.
  const one = { in: list(16 * 96), weights: list(256), out: list(16 * 96), ...rows };
  assert.is(blocks.convolutionPartial(geometry, { type: "half" }).cycles(one, gc200), 711);
  // Nine positions of a 3 × 3 kernel, where every row is there: nine blocks of weights, nine times the pixels.
  const large = { ...geometry, kernel: [3, 3], padding: [0, 1] };
  const three = { ...one, in: { length: 3, elements: 3 * 16 * 96 }, rows: 3 };
  assert.is(blocks.convolutionPartial(large, { type: "half" }).cycles(three, gc200), 263 + 9 * (64 + 6 * 4 * 16));
  const product = {
    left: list(96 * 16),
    right: list(256),
    out: list(96 * 16),
    rowBlocks: 1,
    innerBlocks: 1,
    columnBlocks: 1,
  };
  assert.is(blocks.matmulBlocks(false, false, "half").cycles(product, gc200), 711);
  // Each of six workers reduces 1,024 elements: 529 of its cycles.
  const partials = { in: { length: 6, elements: 6 * 1024 }, out: list(1024), parts: 1, inner: 1, factor: 1 };
  assert.is(blocks.reducePartials().cycles(partials, gc200), 6 * 529);
  // A window of three rows and columns for each of ten results, two of them for the slowest worker: 13 a row, 20 an item,
  // and 4 + 3 a position, or 5 + 3 for sums and 7 + 5 backward; then 7 + 6 · slowest + 6.
  const window = { kernel: [3, 3], stride: [1, 1], padding: [1, 1], width: 10, mapWidth: 10 };
  const read = { length: 3, elements: 30 };
  const pooled = { in: read, out: { length: 10 }, index: { length: 10 }, mapRow: 1, row: 0 };
  assert.is(blocks.maxPool(window).cycles(pooled, gc200), 7 + 6 * (13 * 3 + 2 * (20 + 4 + 3 * 9)) + 6);
  assert.is(blocks.averagePool(window).cycles(pooled, gc200), 7 + 6 * (13 * 3 + 2 * (20 + 5 + 3 * 9)) + 6);
  const backward = { delta: read, index: read, out: { length: 10 }, row: 0 };
  assert.is(blocks.maxPoolGradient(window).cycles(backward, gc200), 7 + 6 * (13 * 3 + 2 * (20 + 7 + 5 * 9)) + 6);
  assert.is(blocks.averagePoolGradient(window).cycles(backward, gc200), 7 + 6 * (13 * 3 + 2 * (20 + 7 + 5 * 9)) + 6);
});

test("a codelet of blocks that do not go together says so", () => {
  const add = blocks.elementwise("add");
  const values = { left: [Float32Array.of(1, 2)], right: [Float32Array.of(1)], out: [new Float32Array(2)], p: 0, q: 0 };
  assert.throws(() => add.compute(values as never), /vectors of the same lengths, got left 2, right 1, out 2/);
});

test.run();
