// What comes to figures when an experiment went wrong: nothing, one of everything, numbers that are none, too much. Every
// kind of figure is in the table below; a kind that is missing from it fails the first test.
import * as assert from "uvu/assert";
import type { GraphReport } from "../../../lib/compiler/index.ts";
import { BlockEngine, compile, devices, lower, nn } from "../../../lib/index.ts";
import { type BufferLabel, memoryReport } from "../../../lib/memory/index.ts";
import {
  bars,
  bigPicture,
  compareMemory,
  confusion,
  curves,
  execution,
  type Figure,
  figures,
  graph,
  histogram,
  images,
  line,
  memory,
  network,
  table as plotTable,
  programTree,
  scatter,
  tileMemory,
} from "../../../lib/plot/index.ts";
import { suite } from "../../support/suite.ts";
import { sampleGraph, sampleHistory, sampleMemory } from "./samples.ts";
import { assertSoundDrawing } from "./svg.ts";
import { sampleVertices } from "./vertex-samples.ts";

const test = suite("bad input");

const oneStep = memoryReport(
  "one step",
  [{ name: "relu", phase: "forward", layer: "" }],
  [
    {
      name: "x",
      layer: "",
      category: "activations",
      type: "float32[1]",
      bytes: 4,
      offset: 0,
      start: 0,
      end: 1,
    } satisfies BufferLabel,
  ],
  4,
);

const oneNode: GraphReport = {
  kind: "operator-graph",
  title: "one",
  layers: [],
  nodes: [{ id: 0, operator: "full", layer: "", column: "forward", types: ["float32[]"], outputBytes: 4, flops: 0 }],
  edges: [],
};

/** What a kind of figure makes of bad input: a picture, or the message of an error. */
interface Case {
  /** The smallest input that there is. */
  readonly one: () => Figure | Promise<Figure>;
  /** Input with nothing in it; absent where the type leaves no way to give none. */
  readonly none?: () => Figure | Promise<Figure>;
  /** What stands on the card, or in the error, of nothing. */
  readonly says?: RegExp;
  /** Input with one number that is none. */
  readonly notANumber?: () => Figure | Promise<Figure>;
  readonly counts?: RegExp;
  /** Input too large for this form, and the form that the error names. */
  readonly tooLarge?: () => Figure | Promise<Figure>;
  readonly instead?: RegExp;
  /** Large input that this form still takes: stored below a million bytes. */
  readonly large: () => Figure | Promise<Figure>;
}

const repeated = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const named = <T>(count: number, make: (index: number) => T): Record<string, T> =>
  Object.fromEntries(repeated(count, (index) => [`series ${index}`, make(index)]));
const wave = (count: number): number[] => repeated(count, (index) => Math.sin(index * 12.9898) * 43758.5453);

const noNodes: GraphReport = { ...oneNode, nodes: [] };
const noSteps = { ...oneStep, steps: [], buffers: [] };
const model = nn.sequential([nn.flatten(), nn.dense(8), nn.relu(), nn.dense(4)], { input: [8, 8], seed: 1 });
const tiles = lower(compile(model, { optimizer: nn.sgd({ rate: 0.1 }), batch: 4 }), devices.gc200);
const machine = new BlockEngine(tiles);
const unused = new BlockEngine(tiles).report();
machine.run();
const report = machine.report();
const tree = machine.programTree();
const leaf = tree.root.parts[0];
const deepGraph = sampleGraph([784, ...new Array<number>(1120).fill(64), 10], 64);
const many = sampleVertices(10, 1500, 7);

const table: Readonly<Record<string, Case>> = {
  line: {
    one: () => line([1]),
    none: () => line([]),
    says: /every series is empty/,
    notANumber: () => line([1, Number.NaN, 2]),
    counts: /1 value is not drawn/,
    tooLarge: () => line(wave(20_001)),
    instead: /at most 20,000 points .*plot\.histogram/,
    large: () => line(wave(20_000)),
  },
  scatter: {
    one: () => scatter({ x: [1], y: [1] }),
    none: () => scatter({ x: [], y: [] }),
    says: /every series is empty/,
    notANumber: () => scatter({ x: [1, 2], y: [Number.NaN, 1] }),
    counts: /1 value is not drawn/,
    tooLarge: () => scatter(named(25, () => [1])),
    instead: /at most 24 series .*plot\.images/,
    large: () => scatter({ x: wave(20_000), y: wave(20_000) }),
  },
  bars: {
    one: () => bars({ only: 1 }),
    none: () => bars({}),
    says: /no category/,
    notANumber: () => bars({ a: Number.NaN, b: 1 }),
    counts: /1 value is not drawn/,
    tooLarge: () => bars(named(201, (index) => index)),
    instead: /at most 200 bars .*plot\.line .*plot\.histogram/,
    large: () => bars(named(200, (index) => index)),
  },
  histogram: {
    one: () => histogram([1]),
    none: () => histogram([]),
    says: /no values/,
    notANumber: () => histogram([1, 2, Number.NaN]),
    counts: /1 value is not finite/,
    tooLarge: () => histogram(named(25, () => [1])),
    instead: /at most 24 series .*plot\.scatter/,
    large: () => histogram(wave(1_000_000)),
  },
  confusion: {
    one: () => confusion([[1]]),
    none: () => confusion([[0]]),
    says: /no samples/,
    notANumber: () =>
      confusion([
        [1, Number.NaN],
        [0, 1],
      ]),
    counts: /1 value is not drawn/,
    tooLarge: () => confusion(repeated(65, () => new Array<number>(65).fill(1))),
    instead: /at most 64 classes .*plot\.images/,
    large: () => confusion(repeated(64, () => new Array<number>(64).fill(123))),
  },
  "training-history": {
    one: () => curves(sampleHistory("one", 1, 0.02, 1)),
    none: () => curves([]),
    says: /no epoch has ended/,
    notANumber: () => {
      const { epochs, ...history } = sampleHistory("diverged", 1, 0.02, 3);
      return curves({ ...history, epochs: epochs.map((epoch) => ({ ...epoch, loss: Number.NaN })) });
    },
    counts: /not drawn/,
    tooLarge: () => curves(named(25, () => sampleHistory("one", 1, 0.02))),
    instead: /at most 24 series .*plot\.table/,
    large: () => curves(named(24, (seed) => sampleHistory("one", seed, 0.02, 200))),
  },
  images: {
    one: () => images([[0.5]]),
    none: () => images([]),
    says: /no images/,
    notANumber: () => images([[Number.NaN, 1, 0, 1]]),
    counts: /1 pixel is no number/,
    tooLarge: () =>
      images(
        repeated(2000, () => new Float32Array(784)),
        { limit: 2000 },
      ),
    instead: /at most 400,000 pixels .*smaller limit/,
    large: () => images(repeated(40, (index) => wave(10_000 + index).slice(index))),
  },
  network: {
    one: () => network([1, 1]),
    none: () => network([]),
    says: /at least two layers/,
    notANumber: () => network([Number.NaN, 1]),
    counts: /at least one neuron, got \[NaN,1\]/,
    tooLarge: () => network(new Array<number>(41).fill(8)),
    instead: /at most 40 layers .*plot\.graph/,
    large: () => network(new Array<number>(40).fill(4096)),
  },
  "operator-graph": {
    one: () => graph(oneNode),
    none: () => graph(noNodes),
    says: /no operators/,
    large: () => graph(deepGraph),
  },
  memory: {
    one: () => memory(oneStep),
    none: () => memory(noSteps),
    says: /Nothing to draw/,
    large: () => memory(sampleMemory([784, ...new Array<number>(2500).fill(16), 10], 64)),
  },
  "memory-and-graph": {
    one: () => memory(oneStep, { graph: oneNode }),
    none: () => memory(noSteps, { graph: noNodes }),
    says: /Nothing to draw/,
    large: () => memory(sampleMemory([784, ...new Array<number>(1120).fill(64), 10], 64), { graph: deepGraph }),
  },
  "memory-comparison": {
    one: () => compareMemory({ only: oneStep }),
    none: () => compareMemory({}),
    says: /Nothing to draw/,
    tooLarge: () => compareMemory(named(25, () => oneStep)),
    instead: /at most 24 memories .*compareMemory\(model/,
    large: () => compareMemory(named(24, () => sampleMemory([784, ...new Array<number>(300).fill(16), 10], 64))),
  },
  execution: {
    one: () => execution(report),
    none: () => execution(unused),
    says: /no superstep has been executed/,
    large: () => {
      const supersteps = repeated(100_000, (index) => report.supersteps[index % report.supersteps.length]);
      const cycles = supersteps.reduce((sum, superstep) => sum + superstep.cycles, 0);
      return execution({ ...report, supersteps, cycles });
    },
  },
  "tile-memory": {
    one: () => tileMemory(report.memory),
    none: () => tileMemory({ ...report.memory, steps: [] }),
    says: /Nothing to draw/,
    large: () => tileMemory(report.memory),
  },
  "program-tree": {
    one: () => programTree(tree),
    none: () => programTree({ ...tree, root: { ...tree.root, kind: "sequence", parts: [] } }),
    says: /no parts/,
    large: () =>
      programTree({
        ...tree,
        root: { ...tree.root, cycles: 20_000 * leaf.cycles, parts: repeated(20_000, () => leaf) },
      }),
  },
  "vertex-graph": {
    one: () => bigPicture(sampleVertices(1, 1, 1), { threads: 1 }),
    none: () => bigPicture({ ...sampleVertices(1, 1, 1), vertexCount: 0, sections: [], edges: [] }),
    says: /no vertices/,
    tooLarge: () => {
      const sections = repeated(8126, (index) => ({
        ...many.sections[0],
        layer: `${index}`,
        start: index,
        end: index + 1,
      }));
      const edges = [{ firstVertex: 0, starts: new Uint32Array(8127), producers: new Uint32Array(0) }];
      return bigPicture({ ...many, vertexCount: 8126, sections, edges }, { threads: 1 });
    },
    instead: /at most 8,125 sections .*join neighbours/,
    large: () => bigPicture(many, { width: 600, threads: 1 }),
  },
};

/** What is drawn, without the bytes of pictures in it, or the message of what was thrown. */
async function outcome(make: () => Figure | Promise<Figure>): Promise<string> {
  let figure: Figure;
  try {
    figure = await make();
  } catch (error) {
    return (error as Error).message;
  }
  return assertSoundDrawing((await figure.svg()).replace(/href="data:[^"]*"/g, "")).textContent!;
}

test("every kind of figure that reports or functions make stands in the table", () => {
  const tables = /table|argument|account|strategies|explanation|weights|check|model|frontier|evaluation|dataset/i;
  const reports = Object.keys(figures).filter((kind) => !tables.test(kind));
  const functions = ["bars", "confusion", "histogram", "line", "scatter", "images", "network"];
  const expected = [...reports, ...functions, "memory-and-graph", "memory-comparison", "vertex-graph"];
  assert.equal(Object.keys(table).sort(), [...new Set(expected)].sort());
});

for (const [kind, given] of Object.entries(table)) {
  test(`${kind}: one of it is drawn`, async () => {
    const figure = await given.one();
    assert.is(figure.kind, kind);
    assertSoundDrawing((await figure.svg()).replace(/href="data:[^"]*"/g, ""));
    assert.ok(JSON.stringify(await figure.bundle()).length < 1_000_000);
  });
  if (given.none)
    test(`${kind}: none of it is said`, async () => assert.match(await outcome(given.none!), given.says!));
  if (given.notANumber)
    test(`${kind}: numbers that are none are told`, async () =>
      assert.match(await outcome(given.notANumber!), given.counts!));
  if (given.tooLarge)
    test(`${kind}: what is too large is refused with what to use instead`, async () =>
      assert.match(await outcome(given.tooLarge!), given.instead!));
  test(`${kind}: a large one takes less than a million bytes`, async () => {
    const bundle = await (await given.large()).bundle();
    const bytes = JSON.stringify(bundle).length;
    assert.ok(bytes < 1_000_000, `${bytes} bytes`);
    assert.ok("image/png" in bundle || "image/jpeg" in bundle);
  });
}

test("a long table shows its first and last rows, and says how many there are between", () => {
  const long = plotTable(repeated(20_000, (index) => ({ row: index })));
  assert.match(long.toString(), /… 19,500 more rows/);
  assert.ok(JSON.stringify(long.bundle()).length < 1_000_000);
});

test.run();
