import * as assert from "uvu/assert";
import { compile, nn } from "../../../lib/index.ts";
import type { MemoryCategory, MemoryReport } from "../../../lib/memory/index.ts";
import { compareMemory, figures, memory } from "../../../lib/plot/index.ts";
import { formatBytes } from "../../../lib/plot/look/format.ts";
import { placeBuffers } from "../../../lib/plot/memory/address-map.ts";
import { columnAt, compositionOf, stackedCategories } from "../../../lib/plot/memory/composition.ts";
import { drawingResolution, phaseRuns, windowOf } from "../../../lib/plot/memory/memory-window.ts";
import { suite } from "../../support/suite.ts";
import { sampleMemory } from "./samples.ts";
import { assertSoundDrawing, pngSize } from "./svg.ts";

const test = suite("memory figures");
const deep = sampleMemory([784, ...new Array<number>(8).fill(64), 10], 64, "deep");

/** A report of one buffer that grows and shrinks over many steps. */
function longReport(steps: number): MemoryReport {
  const nothing = new Array<number>(steps).fill(0);
  const activations = nothing.map((_, step) => (step === 7777 ? 5000 : 1000 + (step % 13)));
  return {
    kind: "memory",
    title: "long",
    steps: nothing.map(() => ({ name: "relu", phase: "forward", layer: "relu1" })),
    buffers: [
      {
        name: "x",
        layer: "",
        category: "activations",
        type: "uint8[1000]",
        bytes: 1000,
        offset: 0,
        start: 0,
        end: steps,
      },
    ],
    live: Object.fromEntries(
      stackedCategories.map((category) => [category, category === "activations" ? activations : nothing]),
    ) as Record<MemoryCategory, number[]>,
    peak: { step: 7777, bytes: 5000 },
    arenaBytes: 5000,
  };
}

test("what a step consists of is what its live buffers add up to", () => {
  const window = windowOf(deep);
  for (const step of deep.steps.keys()) {
    const { totalBytes, categories, buffers, alive } = compositionOf(window, window.columns[columnAt(window, step)]);
    assert.is(alive, buffers.length);
    for (const { category, bytes } of categories) {
      const members = buffers.filter((buffer) => buffer.category === category);
      assert.is(
        bytes,
        members.reduce((sum, buffer) => sum + buffer.bytes, 0),
        `${category} at ${step}`,
      );
    }
    assert.is(
      totalBytes,
      buffers.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    assert.ok(totalBytes <= deep.peak.bytes);
  }
  assert.is(compositionOf(window, window.columns[deep.peak.step]).totalBytes, deep.peak.bytes);
});

test("neither the fullest nor the emptiest step is lost where steps are finer than pixels", () => {
  const { columns } = windowOf(longReport(100_000));
  assert.is(columns.length, drawingResolution.columns);
  assert.is(Math.max(...columns.map(({ live }) => live.activations)), 5000);
  assert.ok(columns.every(({ least }) => least === 1000));
  const covered = columns.flatMap(({ start, end }) => [start, end]);
  assert.is(covered[0], 0);
  assert.is(covered.at(-1), 100_000);
  for (let index = 1; index < columns.length; index++) assert.is(columns[index].start, columns[index - 1].end);
});

test("phases cover all steps without gap or overlap", () => {
  const runs = phaseRuns(deep.steps);
  assert.equal(
    runs.map(({ phase }) => phase),
    ["forward", "backward", "update"],
  );
  assert.is(runs[0].start, 0);
  assert.is(runs.at(-1)!.end, deep.steps.length);
  for (const [index, run] of runs.slice(1).entries()) assert.is(run.start, runs[index].end);
});

test("every buffer has its rectangle in the address map, as high as its bytes and as wide as its life", () => {
  const box = { x: 10, y: 20, width: 370, height: 200 };
  const placed = placeBuffers(windowOf(deep), box);
  assert.is(placed.length, deep.buffers.length);
  const area = placed.reduce((sum, { width, height }) => sum + width * height, 0);
  const expected = deep.buffers.reduce((sum, { bytes, start, end }) => sum + bytes * (end - start), 0);
  const scale = (box.width / deep.steps.length) * (box.height / deep.arenaBytes);
  assert.ok(Math.abs(area - expected * scale) < 1e-6 * area);
  for (const { x, y, width, height } of placed) {
    assert.ok(x >= box.x && x + width <= box.x + box.width + 1e-9);
    assert.ok(y >= box.y - 1e-9 && y + height <= box.y + box.height + 1e-9);
  }
});

test("the picture is sound and names the peak, the arena and every category", async () => {
  for (const report of [deep, sampleMemory([784, 128, 10], 1024), sampleMemory([4, 2], 1)]) {
    const svg = assertSoundDrawing(await memory(report).svg());
    assert.match(svg.textContent!, /peak [\d.,]+ [KM]?i?B · step \d+/);
    assert.match(svg.textContent!, /arena [\d.,]+ [KM]?i?B/);
    for (const category of stackedCategories) {
      if (report.live[category].some((bytes) => bytes > 0)) {
        assert.ok(svg.querySelector(`path[data-category="${category}"]`), `${category} is drawn`);
      }
    }
  }
});

test("the bundle has the report itself, a PNG of the drawing's size and one line of text", async () => {
  const report = sampleMemory([784, 128, 10], 64, "shallow");
  const bundle = await figures.memory(report).bundle();
  assert.equal(bundle["application/vnd.tessera.v1+json"], { version: 1, kind: "memory", data: report });
  assert.equal(Object.keys(bundle), ["application/vnd.tessera.v1+json", "image/png", "text/plain"]);
  const { width, height } = pngSize(Buffer.from(bundle["image/png"] as string, "base64"));
  assert.is(width, 2 * 900);
  assert.ok(height > 1000);
  const { peak, arenaBytes } = report;
  assert.is(
    bundle["text/plain"],
    `memory of shallow: peak ${formatBytes(peak.bytes)} at step ${peak.step}, backward of dense1 (of 9 steps), arena ${formatBytes(arenaBytes)}`,
  );
});

test("a comparison is sound, puts all on one scale, and tells each peak beside the first", async () => {
  const small = sampleMemory([784, 16, 10], 1);
  const figure = compareMemory({ small, deep, "a name that is much too long for its panel, and then some": deep });
  const svg = assertSoundDrawing(await figure.svg());
  assert.ok(svg.textContent!.includes(`${formatBytes(deep.peak.bytes)}`));
  assert.ok(figure.summary.includes(`small: peak ${formatBytes(small.peak.bytes)}`));
  // The same bytes are equally high in every panel.
  const height = (index: number): number => {
    const circles = svg.querySelectorAll("circle");
    return Number(circles[index].getAttribute("cy"));
  };
  assert.ok(Math.abs(height(1) - height(2)) < 1e-9);
  assert.ok(height(0) > height(1));
  for (const count of [1, 2, 4, 5, 9]) {
    const many = Object.fromEntries(Array.from({ length: count }, (_, index) => [`strategy ${index}`, deep]));
    assertSoundDrawing(await compareMemory(many, { title: "many" }).svg());
  }
  assert.throws(() => compareMemory({ a: {} as never }), /must be a memory report, got object \("a"\)/);
  assert.match(await compareMemory({ none: { ...deep, steps: [] } }).svg(), /Nothing to draw/);
});

test("a compiled program's own report is drawn", async () => {
  const program = compile(
    nn.sequential([nn.flatten(), nn.dense(16), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 }),
    {
      loss: nn.crossEntropy(),
      optimizer: nn.sgd({ rate: 0.1, momentum: 0.9 }),
      batch: 8,
    },
  );
  const svg = assertSoundDrawing(await memory(program.memory).svg());
  assert.ok(svg.textContent!.includes(`peak ${formatBytes(program.memory.peak.bytes)}`));
  assert.ok(svg.textContent!.includes("optimiser state"));
});

test("a title may replace the report's own", async () => {
  assert.match(await memory(deep, { title: "eight layers" }).svg(), /Memory: eight layers/);
});

test("a report without steps is a card that says so, not an error", async () => {
  const figure = memory({ ...deep, steps: [], buffers: [] });
  assert.match(assertSoundDrawing(await figure.svg()).textContent!, /Nothing to draw: 0 steps, 0 buffers/);
});

test.run();
