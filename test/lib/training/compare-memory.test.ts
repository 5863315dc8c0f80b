import * as assert from "uvu/assert";
import * as nn from "../../../lib/nn/index.ts";
import { figures } from "../../../lib/plot/index.ts";
import { compareMemory, compile, largestThatFits, memoryFrontier } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("memory strategies compared");

const deep = nn.sequential([nn.flatten(), ...nn.repeat(12, [nn.dense(24), nn.tanh()]), nn.dense(10)], {
  input: [6, 6],
  seed: 2,
  name: "deep",
});

test("every strategy is planned and executed, and where only order changes the loss is the same to the bit", async () => {
  const report = await compareMemory(deep, { batch: 16, threads: 1, budget: "40%" });
  assert.equal(report.rows.map(({ name }) => name).slice(0, 3), ["keep-everything", "in-place", "reuse"]);
  assert.ok(report.rows.some(({ name }) => name === "budget 40%"));
  for (const {
    name,
    lossDifference,
    millisecondsPerStep,
    arenaBytes,
    lowerBoundBytes,
    report: memory,
  } of report.rows) {
    if (memory.strategy?.results === "the same bits") assert.is(lossDifference, 0, name);
    assert.ok(millisecondsPerStep !== null && millisecondsPerStep > 0 && lowerBoundBytes <= arenaBytes, name);
  }
  const of = (name: string) => report.rows.find((row) => row.name === name);
  assert.is(of("keep-everything")?.largestBatch, 16, "it needs just what it needs");
  assert.ok((of("checkpoint")?.largestBatch ?? 0) > (of("reuse")?.largestBatch ?? 0));
  for (const { name, hostBytes, plannedMillisecondsPerStep, extraWork } of report.rows) {
    assert.is(hostBytes > 0, name === "offload", name);
    const first = of("keep-everything")?.millisecondsPerStep as number;
    // More arithmetic is more time, by plan.
    if (extraWork > 0.05) assert.ok((plannedMillisecondsPerStep as number) > first, name);
  }
  assert.is(of("keep-everything")?.plannedMillisecondsPerStep, of("keep-everything")?.millisecondsPerStep);
  assert.is(figures["memory-strategies"](report).kind, "table");
});

test("where models of several depths are given, the deepest that fits is found", async () => {
  const tower = (depth: number): nn.Model =>
    nn.sequential([nn.flatten(), ...nn.repeat(depth, [nn.dense(8), nn.tanh()]), nn.dense(10)], { input: [6, 6] });
  const strategies = { "keep-everything": "keep-everything", checkpoint: "checkpoint" } as const;
  const { rows, fitBytes } = await compareMemory(tower(9), {
    batch: 256,
    threads: 1,
    steps: 0,
    strategies,
    depth: tower,
  });
  const bytes = (depth: number, memory: "checkpoint" | "keep-everything"): number =>
    compile(tower(depth), { batch: 256, threads: 1, memory }).memory.arenaBytes;
  assert.is(rows[0].largestDepth, 9, "what was given fits just so");
  const deepest = rows[1].largestDepth as number;
  assert.ok(deepest > 18 && bytes(deepest, "checkpoint") <= fitBytes, String(deepest));
  assert.is(rows[0].plannedMillisecondsPerStep, null);
});

test("the largest batch found fits, and a hundredth more does not", () => {
  const bytes = (size: number): number => compile(deep, { batch: size, threads: 1, memory: "reuse" }).memory.arenaBytes;
  const limit = bytes(100);
  const largest = largestThatFits(bytes, 4, limit);
  assert.ok(bytes(largest) <= limit && bytes(Math.ceil(largest * 1.02) + 1) > limit, String(largest));
  assert.is(largestThatFits(bytes, 8, 10), 0, "weights alone are more");
});

test("the frontier falls from one more forward pass to no extra work and stays above the bound", () => {
  const { points } = memoryFrontier(deep, { batch: 64, threads: 1, points: 4 });
  for (const [index, { arenaBytes, budgetBytes, extraWork, leastExtraWork }] of points.entries()) {
    assert.ok(arenaBytes <= budgetBytes && leastExtraWork <= extraWork);
    if (index > 0) assert.ok(extraWork <= points[index - 1].extraWork);
  }
  assert.is(points[3].extraWork, 0);
  assert.ok(points[0].extraWork > 0 && points[0].extraWork < 0.4);
});

test("the peak is explained: who still needs each buffer, and every byte that is alive", () => {
  const program = compile(deep, { batch: 16, threads: 1 });
  const { peak, memory } = program;
  assert.is(
    peak.buffers.reduce((sum, { bytes }) => sum + bytes, 0),
    memory.peak.bytes,
  );
  const saved = peak.buffers.find(({ category, stepsLeft }) => category === "activations" && stepsLeft > 0);
  assert.ok(saved?.neededBy?.includes("(dense") || saved?.neededBy?.includes("(tanh"), String(saved?.neededBy));
  assert.match(saved?.remedy ?? "", "computed again");
  assert.ok(peak.buffers.some(({ category, neededBy, madeBy }) => category === "weights" && !neededBy && !madeBy));
});

test.run();
