// What comes to figures when an experiment went wrong: nothing, one of everything, numbers that are none, too much.
import * as assert from "uvu/assert";
import type { GraphReport } from "../../../lib/compiler/index.ts";
import { type BufferLabel, memoryReport } from "../../../lib/memory/index.ts";
import {
  bars,
  bigPicture,
  compareMemory,
  confusion,
  type Figure,
  graph,
  histogram,
  images,
  line,
  memory,
  network,
  scatter,
} from "../../../lib/plot/index.ts";
import { suite } from "../../support/suite.ts";
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

/** What is drawn, without the bytes of pictures in it. */
async function drawn(figure: Figure): Promise<string> {
  return assertSoundDrawing((await figure.svg()).replace(/href="data:[^"]*"/g, "")).textContent!;
}

test("one of everything is drawn", async () => {
  const figures: readonly Figure[] = [
    line([1]),
    scatter({ x: [1], y: [1] }),
    bars({ only: 1 }),
    histogram([1]),
    confusion([[1]]),
    images([[0.5]]),
    network([1, 1]),
    graph(oneNode),
    memory(oneStep),
    memory(oneStep, { graph: oneNode }),
    compareMemory({ only: oneStep }),
    await bigPicture(sampleVertices(1, 1, 1), { threads: 1 }),
  ];
  for (const figure of figures) {
    await drawn(figure);
    assert.ok(JSON.stringify(await figure.bundle()).length < 1_000_000, figure.kind);
  }
});

test("nothing at all is a card that says so", async () => {
  const nothing: readonly Figure[] = [
    images([]),
    graph({ ...oneNode, nodes: [] }),
    memory({ ...oneStep, steps: [], buffers: [] }),
    compareMemory({}),
    await bigPicture({ ...sampleVertices(1, 1, 1), vertexCount: 0, sections: [], edges: [] }),
  ];
  for (const figure of nothing) assert.match(await drawn(figure), /Nothing to draw/, figure.kind);
});

test("numbers that are none are left out, and the caption counts them", async () => {
  for (const figure of [
    line([1, Number.NaN, 2]),
    scatter({ x: [1, 2], y: [Number.NaN, 1] }),
    bars({ a: Number.NaN, b: 1 }),
  ]) {
    assert.match(await drawn(figure), /1 value is not drawn/, figure.kind);
  }
  assert.match(await drawn(histogram([1, 2, Number.NaN])), /1 value is not finite/);
});

test("what is too large for a form is refused with the form to use", () => {
  const many = Array.from({ length: 2000 }, () => new Float32Array(784));
  assert.throws(() => images(many, { limit: 2000 }), /at most 400,000 pixels .*give a smaller limit/);
});

test.run();
