import * as assert from "uvu/assert";
import { compile, nn } from "../../../lib/index.ts";
import { type BufferLabel, type MemoryCategory, type MemoryReport, memoryReport } from "../../../lib/memory/index.ts";
import { answerDetails, memory } from "../../../lib/plot/index.ts";
import { columnAt, compositionOf } from "../../../lib/plot/memory/composition.ts";
import { cropWindow, readWindow, type StoredWindow, storeWindow } from "../../../lib/plot/memory/memory-levels.ts";
import { drawingResolution, windowOf } from "../../../lib/plot/memory/memory-window.ts";
import type { MemoryWindow } from "../../../lib/plot/memory/window-data.ts";
import { suite } from "../../support/suite.ts";
import { assertSoundDrawing } from "./svg.ts";

const test = suite("levels of detail of memory");

/** Buffers of many sizes and lives, one after the other in lanes, so that none lies on another. */
function manyBuffers(count: number, steps: number): MemoryReport {
  const laneBytes = 65_536;
  const categories: readonly MemoryCategory[] = ["activations", "gradients", "workspace"];
  const free: number[] = [];
  let state = 7;
  const draw = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  const buffers = Array.from({ length: count }, (_, index): BufferLabel => {
    const start = Math.floor((index * steps) / count);
    const end = Math.min(steps, start + 1 + Math.floor(draw() ** 6 * 300));
    let lane = free.findIndex((until) => until <= start);
    if (lane < 0) lane = free.push(0) - 1;
    free[lane] = end;
    const bytes = 64 * (1 + Math.floor(draw() ** 3 * 1023));
    const category = categories[index % 3];
    return { name: `%${index}`, layer: "", category, type: "bytes", bytes, offset: lane * laneBytes, start, end };
  });
  const labels = Array.from({ length: steps }, (_, step) => ({
    name: "relu",
    phase: step * 2 < steps ? ("forward" as const) : ("backward" as const),
    layer: `layer${step % 50}`,
  }));
  return memoryReport("many", labels, buffers, free.length * laneBytes);
}

const many = manyBuffers(60_000, 20_000);
const window = windowOf(many);

/** The grid's cells under a buffer, by what the window says of its own borders. */
function cellsOf({ grid, steps, addresses }: MemoryWindow, buffer: BufferLabel): number[] {
  const { columns, rows, cells } = grid!;
  const column = Math.floor(((buffer.start - steps[0]) * columns) / (steps[1] - steps[0]));
  // What begins at a border belongs to the row above it, however the division is rounded.
  const row = Math.floor(((buffer.offset - addresses[0]) * rows) / (addresses[1] - addresses[0]) + 1e-6);
  return [cells[(rows - 1 - row) * columns + column]];
}

test("no buffer is dropped: each begins in one column, and colours the map where it begins", () => {
  assert.is(
    window.columns.reduce((sum, { begins }) => sum + begins, 0),
    many.buffers.length,
  );
  assert.is(window.inside, many.buffers.length);
  assert.ok(window.grid);
  for (const buffer of many.buffers)
    assert.ok(
      cellsOf(window, buffer).every((cell) => cell > 0),
      buffer.name,
    );
});

test("the map's cells hold the bytes and steps of all buffers", () => {
  // Full cells only, so that the sum of levels is exact.
  const block = (offset: number, start: number): BufferLabel => ({
    ...many.buffers[0],
    bytes: 1024,
    offset,
    start,
    end: start + 10,
  });
  const steps = Array.from({ length: 40 }, () => ({ name: "relu", phase: "forward" as const, layer: "" }));
  const report = memoryReport("blocks", steps, [block(0, 0), block(1024, 10), block(2048, 20)], 4096);
  const { grid } = windowOf(report, { columns: 40, rows: 4, buffers: 1 });
  const filled = [...grid!.cells].filter((cell) => cell > 0);
  assert.is(filled.length, 30);
  assert.ok(filled.every((cell) => (cell - 1) % 16 === 15));
});

test("every column names the largest buffers of its fullest step", () => {
  for (const column of window.columns.filter((_, index) => index % 97 === 0)) {
    const alive = many.buffers.filter(({ start, end }) => start <= column.step && column.step < end);
    const largest = alive.map(({ bytes }) => bytes).sort((a, b) => b - a);
    const { buffers } = compositionOf(window, column);
    assert.is(column.alive, alive.length);
    assert.equal(
      buffers.slice(0, 8).map(({ bytes }) => bytes),
      largest.slice(0, 8),
    );
  }
});

test("a window comes back from storage, and a part of it has what the whole has there", () => {
  const back = readWindow(JSON.parse(JSON.stringify(storeWindow(window))) as StoredWindow);
  assert.equal(back, window);
  // Columns of twenty steps each, so that those of the part begin where steps do.
  const even = windowOf(many, { columns: 1000, rows: 400, buffers: 100 });
  const part = cropWindow(even, [5000, 6000], [0, many.arenaBytes / 2]);
  assert.ok(part.steps[0] <= 5000 && part.steps[1] >= 6000);
  for (const buffer of many.buffers) {
    const inside = buffer.start >= part.steps[0] && buffer.start < part.steps[1];
    if (!inside || buffer.offset >= part.addresses[1]) continue;
    assert.equal(cellsOf(part, buffer), cellsOf(even, buffer));
  }
});

test("a notebook stores less than a megabyte, and the session answers for single buffers", async () => {
  const figure = memory(many);
  assertSoundDrawing((await figure.svg()).replace(/href="data:[^"]*"/, ""));
  const bundle = await figure.bundle();
  assert.ok(JSON.stringify(bundle).length < 1_000_000);
  const { details } = bundle["application/vnd.tessera.v1+json"] as { readonly details: string };
  const asked = { steps: [5000, 5400], addresses: [0, many.arenaBytes] };
  const answer = readWindow((await answerDetails(details, asked)) as StoredWindow);
  const expected = many.buffers.filter(({ start, end }) => start < 5400 && end > 5000);
  assert.equal(answer.buffers, expected);
  assert.is(answer.columns.length, 400);
  assert.ok(answer.columns.every(({ start, end }) => end - start === 1));
  assert.is(await answerDetails("of another session", asked), null);
});

test("the same report stored again has the same name, so that reruns give the same bytes", async () => {
  const [one, other] = await Promise.all([memory(many).bundle(), memory(many).bundle()]);
  assert.equal(one, other);
});

test("an operation runs in one step, or in none if it moves no byte, and the steps of a report say which", () => {
  const model = nn.sequential([nn.flatten(), nn.dense(16), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 });
  for (const kept of ["keep-everything", "checkpoint"] as const) {
    const program = compile(model, { optimizer: nn.sgd({ rate: 0.1 }), batch: 8, memory: kept });
    const executed = program.memory.steps.flatMap(({ operations }) => operations!);
    assert.is(new Set(executed).size, executed.length);
    const others = program.graph.nodes.filter(({ id }) => !executed.includes(id));
    assert.equal(
      others.map(({ operator }) => operator),
      ["reshape"],
    );
    const figure = memory(program.memory, { graph: program.graph });
    assert.is(figure.kind, "memory-and-graph");
    assert.ok(figure.summary.includes("operator graph of"));
  }
});

test("steps are found in their columns", () => {
  assert.is(window.columns.length, drawingResolution.columns);
  for (const step of [0, 1, 19, 20, 9999, 19_999]) {
    const { start, end } = window.columns[columnAt(window, step)];
    assert.ok(start <= step && step < end);
  }
});

test.run();
