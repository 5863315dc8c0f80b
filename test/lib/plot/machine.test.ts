import * as assert from "uvu/assert";
import { columnStart, countEdges as countGraphEdges } from "../../../lib/graph/index.ts";
import { devices, lower, lowerFine, nn, simulate } from "../../../lib/index.ts";
import { bigPicture, execution, tileMemory } from "../../../lib/plot/index.ts";
import { profileExecution } from "../../../lib/plot/machine/execution-profile.ts";
import { profileTileMemory } from "../../../lib/plot/machine/tile-memory-picture.ts";
import { readBlockGraph } from "../../../lib/plot/vertices/from-blocks.ts";
import { checkVertexGraph, countEdges } from "../../../lib/plot/vertices/vertex-graph.ts";
import { trainingGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";
import { assertSoundDrawing } from "./svg.ts";

const test = suite("figures of the machine");
const model = nn.sequential([nn.flatten(), nn.dense(32), nn.relu(), nn.dense(10)], { input: [12, 12], seed: 1 });
const step = trainingGraph(model, nn.sgd({ rate: 0.1 }), { batch: 8, loss: nn.crossEntropy() });
const report = simulate(lower(step, devices.gc200));

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
const near = (value: number, expected: number): boolean =>
  Math.abs(value - expected) <= 1e-6 * Math.abs(expected) + 1e-9;

test("pieces of time sum to the report's phases, and busy tiles to their cycles", () => {
  const { columns, busy, phases, utilisation, cycles } = profileExecution(report);
  for (const phase of ["compute", "exchange", "sync"] as const) {
    assert.ok(near(sum(columns.map((column) => column[phase])), phases[phase]), phase);
    assert.is(phases[phase], report.phases[phase]);
  }
  const perColumn = cycles / columns.length;
  const { tileCount } = report.device;
  const rowTiles = busy.map(
    (_, row) => Math.floor(((row + 1) * tileCount) / busy.length) - Math.floor((row * tileCount) / busy.length),
  );
  const worked = sum(busy.map((row, index) => sum(row) * perColumn * rowTiles[index]));
  const own = sum(report.tiles.compute) + sum(report.tiles.exchange);
  assert.ok(near(worked, own), `${worked} of ${own} cycles`);
  assert.ok(near(utilisation * cycles * tileCount, own));
});

test("the longest supersteps are those of the report", () => {
  const [first] = profileExecution(report).longest;
  const most = Math.max(...report.supersteps.map(({ cycles }) => cycles));
  assert.ok(first.cycles >= most);
  assert.ok(report.supersteps.some(({ name }) => name === first.name));
});

test("the memory of tiles tells the fullest tile's bytes by what they are for", () => {
  const { memory } = report;
  const profile = profileTileMemory(memory);
  assert.is(profile.fullestBytes, Math.max(...memory.peak));
  assert.is(sum(profile.categories.map(({ bytes }) => bytes)), profile.fullestBytes);
  assert.is(profile.totalBytes, sum(memory.peak));
  assert.is(sum(profile.histogram), memory.peak.length);
  assert.ok(near(Math.max(...profile.filled.flat()), profile.fullestBytes / memory.bytesPerTile));
});

test("both are sound drawings that follow the page's colours", async () => {
  for (const figure of [execution(report), tileMemory(report.memory)]) {
    assertSoundDrawing(await figure.svg());
    const bundle = await figure.bundle();
    assert.ok("application/vnd.tessera.v1+json" in bundle);
    assert.ok(JSON.stringify(bundle).length < 1_000_000);
  }
});

test("a lowered program is read with all its vertices and the edges between them", () => {
  const { graph, name } = lowerFine(step, devices.gc200);
  const read = readBlockGraph(graph, name);
  checkVertexGraph(read);
  assert.is(read.vertexCount, graph.vertexCount);
  assert.is(countEdges(read), countGraphEdges(graph.families).produced);
  // Whoever is read ran before: a family reads what earlier ones have made.
  for (const { firstVertex, producers } of read.edges) assert.ok(producers.every((producer) => producer < firstVertex));
  const parts = new Map(read.sections.map(({ layer, part }) => [`${layer} ${part}`, part]));
  for (const expected of ["dense1 forward", "dense1 weight gradient", "dense1 update", "dense2 input gradient"]) {
    assert.ok(parts.has(expected), `${expected} in ${[...parts.keys()].join(", ")}`);
  }
  assert.not.ok(parts.has("relu1 weight gradient"));
});

test("the edges of a lowered program are those found block by block", () => {
  const { graph, name } = lowerFine(step, devices.gc200);
  const makers = new Map<number, number>();
  for (const { firstVertex, count, outputs } of graph.families) {
    for (const column of outputs) {
      for (let vertex = 0; vertex < count; vertex++) {
        for (let place = columnStart(column, vertex); place < columnStart(column, vertex + 1); place++) {
          makers.set(column.blocks?.[place] ?? column.variable.firstBlock + vertex, firstVertex + vertex);
        }
      }
    }
  }
  const expected = graph.families.flatMap(({ count, inputs }) =>
    Array.from({ length: count }, (_, vertex) =>
      inputs.flatMap((column) => {
        const blocks = column.blocks.subarray(columnStart(column, vertex), columnStart(column, vertex + 1));
        return Array.from(blocks, (block) => makers.get(block) ?? []).flat();
      }),
    ),
  );
  const read: number[][] = [];
  for (const { starts, producers } of readBlockGraph(graph, name).edges) {
    for (let vertex = 0; vertex + 1 < starts.length; vertex++) {
      read.push([...producers.subarray(starts[vertex], starts[vertex + 1])]);
    }
  }
  assert.ok(expected.some((producers) => producers.length > 2));
  assert.equal(read, expected);
});

test("a lowered program's picture counts its vertices", async () => {
  const lowered = lowerFine(step, devices.gc200);
  const figure = await bigPicture(lowered, { width: 400 });
  assert.ok(figure.summary.replaceAll(",", "").includes(`${lowered.graph.vertexCount} vertices`), figure.summary);
});

test.run();
