import * as assert from "uvu/assert";
import {
  BlockGraph,
  BlockLayout,
  type BlockVariable,
  codelet,
  devices,
  type FamilyOptions,
  Graph,
  input,
  output,
  state,
} from "../../../lib/graph/index.ts";
import { BlockEngine, Engine } from "../../../lib/simulator/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";

const test = suite("graphs of blocks");

test("blocks of a layout hold every element once, one block after the other", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const draw = random(seed);
    const shape = Array.from({ length: integer(draw, 0, 4) }, () => integer(draw, 1, 7));
    const layout = new BlockLayout(
      shape,
      shape.map(() => integer(draw, 1, 8)),
    );
    const places = layout.storagePlaces();
    assert.equal(
      Array.from(places).sort((a, b) => a - b),
      Array.from({ length: layout.elements }, (_, i) => i),
      `seed ${seed}`,
    );
    let offset = 0;
    for (let block = 0; block < layout.count; block++) {
      assert.is(layout.offsetOf(block), offset, `seed ${seed}, ${layout}`);
      offset += layout.elementsOf(block);
      assert.is(layout.at(...shape.map((_, axis) => layout.placeOf(block, axis))), block);
    }
    assert.is(offset, layout.elements);
    const blocks = layout.blocksOfElements();
    for (const [position, place] of places.entries()) {
      const block = blocks[position];
      assert.ok(place >= layout.offsetOf(block) && place < layout.offsetOf(block) + layout.elementsOf(block));
    }
  }
});

test("layouts that differ in axes of extent 1 alone have the same storage", () => {
  assert.ok(new BlockLayout([4, 1, 6], [2, 1, 3]).sameStorage(new BlockLayout([4, 6], [2, 3])));
  assert.not(new BlockLayout([4, 6], [2, 3]).sameStorage(new BlockLayout([4, 6], [2, 6])));
  assert.throws(() => new BlockLayout([4, 6], [2]), /an extent ≥ 1 for each axis, got \[2\] for \[4,6\]/);
});

const sum = codelet(
  "Sum",
  { in: input.vectors("float"), out: output.vector("float"), factor: state() },
  ({ in: xs, out, factor }) => {
    for (let i = 0; i < out.length; i++) out[i] = factor * xs.reduce((total, x) => total + x[i], 0);
  },
  ({ in: { length, elements }, out }) => 10 + length + elements + out.length,
);

interface Small {
  readonly graph: BlockGraph;
  readonly x: BlockVariable;
  readonly y: BlockVariable;
  readonly family: FamilyOptions;
}

/** Four blocks of two elements; two vertices that each add up two of them. */
function small(): Small {
  const graph = new BlockGraph(devices.lecture);
  const x = graph.addVariable({ name: "x", type: "float", layout: new BlockLayout([8], [2]), role: "data" });
  const y = graph.addVariable({ name: "y", type: "float", layout: new BlockLayout([4], [2]), role: "made" });
  const family: FamilyOptions = {
    name: "sums",
    layer: "layer",
    phase: "forward",
    operator: "sum",
    codelet: sum,
    count: 2,
    inputs: { in: { variable: x, blocks: Uint32Array.of(0, 1, 2, 3), each: 2 } },
    outputs: { out: { variable: y } },
    states: { factor: { every: 1, values: [1, 10] } },
    tiles: Uint16Array.of(3, 5),
  };
  return { graph, x, y, family };
}

test("vertices of a family compute from their blocks, and cost what they and their exchange cost", () => {
  const { graph, x, y, family } = small();
  graph.addFamily(family);
  x.tiles.set([3, 0, 5, 5]);
  const place = ({ layout, ...variable }: BlockVariable) => ({ variable: { layout, ...variable }, layout });
  const program = {
    name: "small",
    precision: "single" as const,
    graph,
    inputs: new Map([["x", { variable: x, layout: x.layout }]]),
    outputs: new Map([["y", place(y)]]),
  };
  const engine = new BlockEngine(program).write("x", [1, 2, 3, 4, 5, 6, 7, 8]).run();
  assert.equal(Array.from(engine.read("y").data), [1 + 3, 2 + 4, 10 * (5 + 7), 10 * (6 + 8)]);
  const report = engine.report();
  // One block of two floats goes from tile 0 to tile 3; six workers take turns, so a vertex's cycles count six times.
  assert.is(report.exchangedBytes, 8);
  const [{ exchangeCycles, computeCycles, syncCycles, cycles }] = report.supersteps;
  assert.equal([exchangeCycles[0], exchangeCycles[3], exchangeCycles[5]], [2, 2, 0]);
  assert.equal([computeCycles[3], computeCycles[5]], [6 * 18, 6 * 18]);
  assert.is(cycles, syncCycles + 2 + 6 * 18);
});

test("what breaks a rule is named with its family, field and remedy", () => {
  const broken = (change: (given: Small) => Partial<FamilyOptions>): (() => void) => {
    const given = small();
    return () => given.graph.addFamily({ ...given.family, ...change(given) });
  };
  assert.throws(
    broken(() => ({ tiles: Uint16Array.of(3) })),
    /sums: there must be a tile for each vertex, got 1 for 2/,
  );
  assert.throws(
    broken(() => ({ tiles: Uint16Array.of(3, 16) })),
    /tiles of Lecture run from 0 to 15, got 16 \(vertex 1, Sum\)/,
  );
  assert.throws(
    broken(() => ({ inputs: {} })),
    /sums\/Sum: every field must be connected.*got nothing for "in"/,
  );
  assert.throws(
    broken(() => ({ states: {} })),
    /got nothing for "factor"/,
  );
  assert.throws(
    broken(({ x }) => ({ inputs: { in: { variable: x, blocks: Uint32Array.of(0, 1, 2, 4), each: 2 } } })),
    /field "in": blocks of "x" run from 0 to 3, got 4 \(edge 3\)/,
  );
  assert.throws(
    broken(({ x }) => ({ inputs: { in: { variable: x, blocks: Uint32Array.of(0, 1, 2), each: 2 } } })),
    /the column must hold every vertex's blocks, got 3 for 2 vertices/,
  );
  assert.throws(
    broken(({ y }) => ({ inputs: { in: { variable: y, blocks: Uint32Array.of(4, 5), each: 1 } } })),
    /must be written before it is read, got "y"/,
  );
  assert.throws(
    broken(({ y }) => ({ outputs: { out: { variable: y, blocks: Uint32Array.of(4, 4) } } })),
    /a block must be written once, got block 0 of "y" twice/,
  );
  assert.throws(
    broken(({ x }) => ({ outputs: { out: { variable: x } } })),
    /only what vertices make may be written, got "x"/,
  );
  assert.throws(
    broken(({ graph }) => {
      const whole = graph.addVariable({ name: "n", type: "int", layout: new BlockLayout([4], [2]), role: "data" });
      return { inputs: { in: { variable: whole, blocks: Uint32Array.of(6, 7) } } };
    }),
    /must be connected to float, got int \("n"\)/,
  );
  assert.throws(
    broken(() => ({ inputs: { in: { variable: small().x, blocks: Uint32Array.of(0, 1) } } })),
    /must be of this graph, got "x" of another/,
  );
});

test("fields of single graphs take lists of vectors", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [2, 3], "a");
  const out = graph.addVariable("float", [3], "out");
  const computeSet = graph.addComputeSet("sum");
  for (const tensor of [a, out]) graph.setTileMapping(tensor, 1);
  const vertex = graph.addVertex(computeSet, sum, { in: [a.index(0), a.index(1)], out, factor: 2 });
  graph.setTileMapping(vertex, 1);
  assert.is(graph.vertices.edgeCount, 3);
  const engine = new Engine(graph, { kind: "execute", computeSet }).writeTensor(a, [1, 2, 3, 10, 20, 30]).run();
  assert.equal(Array.from(engine.readTensor(out).data), [22, 44, 66]);
  assert.is(engine.report().supersteps[0].computeCycles[1], 6 * (10 + 2 + 6 + 3));
  // A word for the codelet, the number and each list's length and address, two for each vector.
  assert.is(engine.memory.vertexState[1], 4 * (1 + 2 + 2 * 2 + 2 + 1));
  assert.throws(
    () => graph.addVertex(computeSet, sum, { in: a as never }),
    /field "in" must be connected to a list of tensors/,
  );
});

test.run();
