import * as assert from "uvu/assert";
import {
  branch,
  call,
  choose,
  codelet,
  concat,
  copy,
  devices,
  errorProgram,
  execute,
  Graph,
  inOut,
  input,
  output,
  printTensor,
  programFunction,
  repeat,
  repeatWhile,
  sequence,
} from "../../../lib/graph/index.ts";
import { Engine, formatReport } from "../../../lib/simulator/index.ts";
import { random, toNested } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";

const test = suite("engine of vertex graphs");

const sum = codelet(
  "Sum",
  { in: input.vector("float"), out: output("float") },
  ({ in: xs, out }) => {
    let total = 0;
    for (const x of xs) total += x;
    out.value = total;
  },
  ({ in: xs }) => 20 + 2 * xs.length,
);

const increment = codelet(
  "Increment",
  { counter: inOut("int") },
  ({ counter }) => {
    counter.value += 1;
  },
  () => 4,
);

const below = codelet(
  "Below",
  { counter: input("int"), limit: input("int"), flag: output("bool") },
  ({ counter, limit, flag }) => {
    flag.value = counter < limit ? 1 : 0;
  },
  () => 5,
);

const move = codelet(
  "Move",
  { in: input.vector("float"), out: output.vector("float") },
  ({ in: xs, out }) => {
    for (let i = 0; i < out.length; i++) out[i] = xs[i];
  },
  ({ in: xs }) => xs.length,
);

test("two vertices built by hand run, and every cycle is accounted for", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [2, 4], "a");
  const sums = graph.addVariable("float", [2], "sums");
  const total = graph.addVariable("float", [], "total");
  graph.setTileMapping(a, 0).setTileMapping(sums, 3).setTileMapping(total, 3);
  const rows = graph.addComputeSet("rows");
  const all = graph.addComputeSet("all");
  for (const row of [0, 1]) {
    graph.setTileMapping(graph.addVertex(rows, sum, { in: a.index(row), out: sums.index(row) }), 3);
  }
  graph.setTileMapping(graph.addVertex(all, sum, { in: sums, out: total }), 3);
  const engine = new Engine(graph, sequence([execute(rows), execute(all)]));
  engine.writeTensor(a, [1, 2, 3, 4, 5, 6, 7, 8]).run();
  assert.equal(toNested(engine.readTensor(sums)), [10, 26]);
  assert.is(toNested(engine.readTensor(total)), 36);

  const { supersteps, cycles, memory } = engine.report();
  assert.equal(
    supersteps.map(({ name }) => name),
    ["rows", "all"],
  );
  // 8 floats from tile 0 to tile 3: 32 B at 4 B a cycle. Two vertices on two workers: 6 cycles for each of 28.
  assert.is(supersteps[0].exchangeCycles[3], 8);
  assert.is(supersteps[0].exchangeCycles[0], 8);
  assert.is(supersteps[0].computeCycles[3], 6 * 28);
  assert.is(supersteps[1].exchangedBytes, 0);
  assert.is(cycles, 2 * devices.lecture.syncCycles + 8 + 6 * 28 + 6 * 24);
  // Three vertices of a codelet's address, a vector and a scalar: 16 B each.
  assert.equal([memory.vertexState[3], memory.alwaysLive[0], memory.alwaysLive[3]], [48, 32, 4]);
  // tile 0 sends a piece that tile 3 receives, 8 B of code; all have two supersteps' control, tile 3 a codelet.
  assert.equal([...memory.peak.slice(0, 4)], [32 + 64 + 8, 64, 64, 48 + 4 + 8 + 32 + 64 + 384 + 8]);
});

test("exchanging 1 KiB to one tile takes 256 cycles, and to many tiles no more", () => {
  for (const readers of [1, 15]) {
    const graph = new Graph(devices.lecture);
    const source = graph.addVariable("float", [256], "source");
    const sums = graph.addVariable("float", [readers], "sums");
    graph.setTileMapping(source, 0);
    const computeSet = graph.addComputeSet("read");
    for (let reader = 0; reader < readers; reader++) {
      graph.setTileMapping(sums.index(reader), reader + 1);
      const edges = { in: source, out: sums.index(reader) };
      graph.setTileMapping(graph.addVertex(computeSet, sum, edges), reader + 1);
    }
    const [superstep] = new Engine(graph, execute(computeSet)).run().report().supersteps;
    assert.is(superstep.exchangeCycles[0], 256);
    assert.is(superstep.exchangeCycles[1], 256);
    assert.is(superstep.exchangedBytes, 1024 * readers);
  }
});

test("seven equal vertices of a tile take two turns of its six workers", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [7, 10], "a");
  const sums = graph.addVariable("float", [7], "sums");
  graph.setTileMapping(a, 2).setTileMapping(sums, 2);
  const columns = {
    in: { tensor: a, starts: Array.from({ length: 7 }, (_, i) => i * 10), lengths: 10 },
    out: { tensor: sums, starts: Array.from({ length: 7 }, (_, i) => i) },
  };
  const computeSet = graph.addComputeSet("sum");
  const first = graph.addVertices(computeSet, sum, 7, columns, 2);
  const cycles = (): number => new Engine(graph, execute(computeSet)).run().report().supersteps[0].computeCycles[2];
  assert.is(cycles(), 6 * 2 * 40);
  graph.setPerfEstimate({ kind: "vertex", id: first }, 100);
  assert.is(cycles(), 6 * 100, "the others are spread over the workers that are free");
});

test("results that belong on another tile take an exchange of their own", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [8], "a");
  const b = graph.addVariable("float", [8], "b");
  graph.setTileMapping(a, 1).setTileMapping(b.slice(0, 6), 1).setTileMapping(b.slice(6, 8), 2);
  const computeSet = graph.addComputeSet("move");
  graph.setTileMapping(graph.addVertex(computeSet, move, { in: a, out: b }), 1);
  const engine = new Engine(graph, execute(computeSet)).writeTensor(a, [1, 2, 3, 4, 5, 6, 7, 8]).run();
  const { supersteps } = engine.report();
  assert.equal(
    supersteps.map(({ name, exchangedBytes }) => [name, exchangedBytes]),
    [
      ["move", 0],
      ["move (results)", 8],
    ],
  );
  assert.is(supersteps[1].exchangeCycles[2], 2);
  assert.equal(toNested(engine.readTensor(b)), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("copies between any two views move values, and bytes, as loops over elements do", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const draw = random(seed);
    const graph = new Graph(devices.lecture);
    const a = graph.addVariable("float", [4, 6], "a");
    const b = graph.addVariable("float", [6, 4], "b");
    graph.mapLinearly(a, integer(draw, 1, 5)).mapLinearly(b, integer(draw, 1, 7));
    const source =
      draw.next() % 2 === 0 ? a.dimShuffle() : concat([a.slice(3, 6, 1), a.slice(0, 3, 1)], 1).reshape([6, 4]);
    const destination = draw.next() % 2 === 0 ? b : concat([b.slice(2, 6), b.slice(0, 2)]);
    const values = draw.normal([4, 6]);
    const engine = new Engine(graph, copy(source, destination)).writeTensor(a, values).run();
    const elements = (view: typeof a): number[] =>
      view.runs.flatMap(({ start, count, step }) => Array.from({ length: count }, (_, i) => start + i * step));
    const tiles = graph.variables.all.map(({ mapping }) =>
      mapping.intervals.flatMap(({ start, end, tile }) => new Array<number>(end - start).fill(tile)),
    );
    const expected = new Array<number>(24).fill(0);
    let bytes = 0;
    const to = elements(destination);
    for (const [index, from] of elements(source).entries()) {
      expected[to[index]] = values.data[from];
      if (tiles[0][from] !== tiles[1][to[index]]) bytes += 4;
    }
    assert.equal([...engine.readTensor(b).data], expected, `seed ${seed}`);
    assert.is(engine.report().exchangedBytes, bytes, `seed ${seed}`);
  }
});

test("a copy onto itself reads everything before it writes", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [4], "a");
  graph.setTileMapping(a, 0);
  const engine = new Engine(graph, copy(a.slice(0, 3), a.slice(1, 4))).writeTensor(a, [1, 2, 3, 4]).run();
  assert.equal(toNested(engine.readTensor(a)), [1, 1, 2, 3]);
});

test("repeat, repeatWhile, branch, choose and call do what their words say", () => {
  const graph = new Graph(devices.lecture);
  const counter = graph.addVariable("int", [], "counter");
  const limit = graph.addConstant("int", [], 5, "limit");
  const flag = graph.addVariable("bool", [], "flag");
  graph.setTileMapping(counter, 1).setTileMapping(limit, 1).setTileMapping(flag, 1);
  const [up, check] = [graph.addComputeSet("up"), graph.addComputeSet("check")];
  graph.setTileMapping(graph.addVertex(up, increment, { counter }), 1);
  graph.setTileMapping(graph.addVertex(check, below, { counter, limit, flag }), 1);
  const lines: string[] = [];
  const add = programFunction("add one", execute(up));
  const program = sequence([
    repeat(2, call(add)),
    printTensor(counter, "after repeat"),
    repeatWhile(execute(check), flag, call(add)),
    printTensor(counter, "after repeatWhile"),
    branch(flag, errorProgram("the flag must have fallen"), call(add)),
    choose(counter, { 6: sequence([call(add), call(add)]), 7: errorProgram("wrong case") }),
    choose(counter, { 6: errorProgram("wrong case") }),
  ]);
  const engine = new Engine(graph, program, { print: (line) => lines.push(line) });
  engine.run();
  assert.equal(lines, ["after repeat: [2]", "after repeatWhile: [5]"]);
  assert.is(toNested(engine.readTensor(counter)), 8);
  const names = engine.report().supersteps.map(({ name }) => name.split(" ")[0]);
  const loop = ["check", "condition", "up"];
  const expected = ["up", "up", ...loop, ...loop, ...loop, "check", "condition", "condition", "up"];
  assert.equal(names, [...expected, "condition", "up", "up", "condition"]);
  engine.load();
  assert.is(toNested(engine.readTensor(counter)), 0);
  assert.equal(engine.report().supersteps, []);
  assert.is(repeat(0, call(add)).kind, "repeat");
});

test("an errorProgram stops the run with its message", () => {
  const graph = new Graph(devices.lecture);
  assert.throws(
    () => new Engine(graph, errorProgram("loss is not a number")).run(),
    /^errorProgram: the program must not come here, got "loss is not a number" \(after 0 supersteps\)/,
  );
});

test("half precision rounds what is stored, initial values and results alike", () => {
  const graph = new Graph(devices.lecture);
  const double = codelet(
    "Double",
    { in: input.vector("half"), out: output.vector("half") },
    ({ in: xs, out }) => {
      for (let i = 0; i < out.length; i++) out[i] = xs[i] * 1.0004;
    },
    ({ in: xs }) => xs.length,
  );
  const a = graph.addVariable("half", [2], "a");
  const b = graph.addVariable("half", [2], "b");
  graph.setTileMapping(a, 0).setTileMapping(b, 0).setInitialValue(a, [2049, 1]);
  const computeSet = graph.addComputeSet("double");
  graph.setTileMapping(graph.addVertex(computeSet, double, { in: a, out: b }), 0);
  const engine = new Engine(graph, execute(computeSet)).run();
  // Halves near 2048 lie 2 apart, and near 1 they lie 2^-10 apart.
  assert.equal(toNested(engine.readTensor(a)), [2048, 1]);
  assert.equal(toNested(engine.readTensor(b)), [2048, 1]);
  assert.is(engine.readTensor(b).dtype, "float16");
});

test("what another vertex reads of a half is rounded already, bounds checked or trusted", () => {
  for (const bounds of ["checked", "trusted"] as const) {
    const graph = new Graph(devices.lecture);
    const write = codelet(
      "Write",
      { out: output.vector("half") },
      ({ out }) => {
        out.fill(1.0004);
      },
      () => 1,
      { bounds },
    );
    const excess = codelet(
      "Excess",
      { in: input.vector("half"), out: output("float") },
      ({ in: xs, out }) => {
        out.value = xs[0] - 1;
      },
      () => 1,
      { bounds },
    );
    const a = graph.addVariable("half", [3], "a");
    const left = graph.addVariable("float", [], "left");
    graph.setTileMapping(a, 0).setTileMapping(left, 0).setInitialValue(left, 7);
    const [first, second] = [graph.addComputeSet("write"), graph.addComputeSet("excess")];
    graph.setTileMapping(graph.addVertex(first, write, { out: a }), 0);
    graph.setTileMapping(graph.addVertex(second, excess, { in: a, out: left }), 0);
    const engine = new Engine(graph, sequence([execute(first), execute(second)])).run();
    assert.is(toNested(engine.readTensor(left)), 0, bounds);
  }
});

test("a codelet that throws, or reaches out of its fields, is named by its vertex", () => {
  const failing: [RegExp, (fields: { in: ArrayLike<number>; out: { [index: number]: number } }) => void][] = [
    [
      /"no luck"/,
      () => {
        throw new Error("no luck");
      },
    ],
    [
      /"field "out" has elements 0 to 3, not 4"/,
      ({ out }) => {
        out[4] = 1;
      },
    ],
    [
      /"field "out" has elements 0 to 3, not -1"/,
      ({ out }) => {
        out[-1] = 1;
      },
    ],
    [
      /"field "out" has elements 0 to 3, not NaN"/,
      ({ out }) => {
        out[Number.NaN] = 1;
      },
    ],
    [
      /"field "in" has elements 0 to 3, not 4"/,
      ({ in: xs, out }) => {
        out[0] = xs[4];
      },
    ],
    [
      /"field "in" is an input and must not be written"/,
      ({ in: xs }) => {
        (xs as Float32Array)[0] = 1;
      },
    ],
    [
      /"field "in" is an input and must not be written \(element 0\)"/,
      ({ in: xs }) => {
        (xs as Float32Array).fill(9);
      },
    ],
  ];
  for (const [expected, compute] of failing) {
    const graph = new Graph(devices.lecture);
    const bad = codelet("Bad", { in: input.vector("float"), out: output.vector("float") }, compute, () => 1);
    const a = graph.addVariable("float", [4], "a");
    const b = graph.addVariable("float", [4], "b");
    graph.setTileMapping(a, 7).setTileMapping(b, 7).setInitialValue(a, [1, 2, 3, 4]);
    const computeSet = graph.addComputeSet("layer1/bad");
    graph.setTileMapping(graph.addVertex(computeSet, bad, { in: a, out: b }), 7);
    const engine = new Engine(graph, execute(computeSet));
    assert.throws(() => engine.run(), expected);
    assert.throws(
      () => engine.run(),
      /vertex 0, layer1\/bad\/Bad: a codelet must compute within its fields, got .*\(tile 7\)/,
    );
    assert.equal(toNested(engine.readTensor(a)), [1, 2, 3, 4]);
    assert.equal(toNested(engine.readTensor(b)), [0, 0, 0, 0], "nothing half-written");
  }
});

test("a mistyped cell is told of instead of being lost", () => {
  const graph = new Graph(devices.lecture);
  const bad = codelet(
    "Bad",
    { out: output("float") },
    ({ out }) => {
      (out as unknown as { val: number }).val = 1;
    },
    () => 1,
  );
  const a = graph.addVariable("float", [], "a");
  graph.setTileMapping(a, 0);
  const computeSet = graph.addComputeSet("set");
  graph.setTileMapping(graph.addVertex(computeSet, bad, { out: a }), 0);
  const engine = new Engine(graph, execute(computeSet));
  assert.throws(() => engine.run(), /vertex 0, set\/Bad/);
});

test("an engine refuses a graph that breaks rules, an estimate that is none, and strangers' tensors", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [4], "a");
  assert.throws(() => new Engine(graph, sequence()), /variable "a": every element must be on a tile/);
  graph.setTileMapping(a, 0);
  const vague = codelet(
    "Vague",
    { in: input.vector("float") },
    () => {},
    ({ in: xs }) => xs.length / 3,
  );
  const computeSet = graph.addComputeSet("set");
  graph.setTileMapping(graph.addVertex(computeSet, vague, { in: a }), 0);
  assert.throws(
    () => new Engine(graph, execute(computeSet)),
    /vertex 0, set\/Vague: an estimate must be a whole number/,
  );
  const engine = new Engine(graph, sequence());
  const foreign = new Graph(devices.lecture).addVariable("float", [1], "foreign");
  assert.throws(() => engine.readTensor(foreign), /readTensor: a tensor must be of the engine's graph/);
  assert.throws(() => engine.writeTensor(foreign, 1), /writeTensor: a tensor must be of the engine's graph/);
  assert.throws(
    () => engine.writeTensor(a, [1, 2]),
    /writeTensor: there must be a value for each of the 4 elements, got 2/,
  );
});

test("a report in words holds the sums and a line for each superstep", () => {
  const graph = new Graph(devices.lecture);
  const counter = graph.addVariable("int", [], "counter");
  graph.setTileMapping(counter, 1);
  const up = graph.addComputeSet("up");
  graph.setTileMapping(graph.addVertex(up, increment, { counter }), 1);
  const report = new Engine(graph, repeat(10, execute(up))).run().report();
  const text = formatReport(report).split("\n");
  assert.match(text[0], /^Lecture, 16 tiles: 1,140 cycles, 0\.86 µs at 1\.33 GHz$/);
  assert.is(text[1], "compute 240, exchange 0, sync 900 cycles; 0 B exchanged");
  assert.match(text[3], /^up +10 +90 +0 +24 +0 +1$/);
  assert.is(text[4], "memory: 908 B on all tiles at their peaks; most on tile 1: 428 of 65,536 B");
  assert.is(report.tiles.compute[1], 240);
});

test.run();
