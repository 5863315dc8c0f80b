import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  bestFitPlan,
  bestGreedyPlan,
  greedyOrders,
  greedyPlan,
  liveBound,
  type MemoryProblem,
  memoryReport,
  type TensorBuffer,
  validatePlan,
} from "../../../lib/memory/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";

const test = suite("memory plans");

function problem(seed: number, count: number, steps = 12, largest = 9, alignments = [1, 2, 4]): MemoryProblem {
  const source = random(seed);
  const buffers = Array.from({ length: count }, (_, id) => {
    const start = integer(source, 0, steps - 1);
    const end = integer(source, start, steps);
    return {
      id,
      size: integer(source, 0, largest),
      alignment: alignments[integer(source, 0, alignments.length - 1)],
      start,
      end,
    };
  });
  return { buffers };
}

/** Byte by byte and step by step: does any byte belong to two buffers? */
function collides({ buffers }: MemoryProblem, offsets: readonly number[]): boolean {
  const owners = new Set<string>();
  for (const [index, { size, start, end }] of buffers.entries()) {
    for (let step = start; step < end; step++) {
      for (let byte = offsets[index]; byte < offsets[index] + size; byte++) {
        const place = `${step}:${byte}`;
        if (owners.has(place)) return true;
        owners.add(place);
      }
    }
  }
  return false;
}

test("best fit in the order of time is valid, and reuses what ends just before", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const tested = problem(seed, 40, 30, 50, [1, 4, 64]);
    const plan = bestFitPlan(tested);
    assert.equal(validatePlan(tested, plan), [], `seed ${seed}`);
    assert.ok(plan.height >= liveBound(tested));
  }
  const chain = Array.from({ length: 9 }, (_, id) => ({ id, size: 64, alignment: 64, start: id, end: id + 1 }));
  assert.is(bestFitPlan({ buffers: chain }).height, 64);
});

test("the validator agrees with looking at every byte at every step", () => {
  let bad = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const tested = problem(seed, 6, 8, 5, [1]);
    const source = random(seed, 1);
    const offsets = tested.buffers.map(() => integer(source, 0, 12));
    const height = Math.max(...tested.buffers.map(({ size }, index) => offsets[index] + size));
    const overlap = validatePlan(tested, { offsets, height }).some((violation) => violation.kind === "overlap");
    assert.is(overlap, collides(tested, offsets), `seed ${seed}`);
    if (overlap) bad++;
  }
  assert.ok(bad > 50 && bad < 350, `both kinds of plans were tried (${bad} bad ones)`);
});

test("the validator names wrong counts, offsets, alignments and heights", () => {
  const tested: MemoryProblem = { buffers: [{ id: 0, size: 4, alignment: 4, start: 0, end: 1 }] };
  assert.equal(validatePlan(tested, { offsets: [], height: 4 }), [{ kind: "count", expected: 1, got: 0 }]);
  assert.equal(validatePlan(tested, { offsets: [-4], height: 4 }), [{ kind: "offset", buffer: 0, offset: -4 }]);
  assert.equal(validatePlan(tested, { offsets: [2], height: 8 }), [{ kind: "alignment", buffer: 0, offset: 2 }]);
  assert.equal(validatePlan(tested, { offsets: [4], height: 7 }), [{ kind: "height", buffer: 0, end: 8 }]);
  assert.equal(validatePlan(tested, { offsets: [4], height: 8 }), []);
});

test("every greedy plan is valid and not below the bound", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const tested = problem(seed, integer(random(seed), 0, 60), 30, 1000, [1, 16, 64]);
    const bound = liveBound(tested);
    for (const order of greedyOrders) {
      const plan = greedyPlan(tested, order);
      assert.equal(validatePlan(tested, plan), [], `seed ${seed}, ${order}`);
      assert.ok(plan.height >= bound, `seed ${seed}, ${order}`);
    }
  }
});

/** Greedy placement as it is written down: each buffer as low as it goes, by looking at every one that was placed. */
function placedPairByPair({ buffers }: MemoryProblem, key: (buffer: TensorBuffer) => number): number[] {
  const offsets = new Array<number>(buffers.length).fill(0);
  const placed: number[] = [];
  const sequence = [...buffers.keys()].sort((a, b) => key(buffers[a]) - key(buffers[b]) || a - b);
  for (const index of sequence) {
    const { size, alignment, start, end } = buffers[index];
    if (size === 0 || start >= end) continue;
    const inTheWay = placed.filter((other) => buffers[other].start < end && start < buffers[other].end);
    const tops = inTheWay.map((other) => Math.ceil((offsets[other] + buffers[other].size) / alignment) * alignment);
    const isFree = (offset: number): boolean =>
      inTheWay.every((other) => offset + size <= offsets[other] || offsets[other] + buffers[other].size <= offset);
    offsets[index] = Math.min(...[0, ...tops].filter(isFree));
    placed.push(index);
  }
  return offsets;
}

test("greedy plans are those of looking at every pair, whatever the lengths of lives", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const steps = 10 ** (1 + (seed % 4));
    const tested = problem(seed, integer(random(seed), 0, 120), steps, 1000, [1, 16, 64]);
    const bySize = placedPairByPair(tested, ({ size }) => -size);
    assert.equal(greedyPlan(tested, "size").offsets, bySize, `seed ${seed}`);
    const byTime = placedPairByPair(tested, ({ start }) => start);
    assert.equal(greedyPlan(tested, "start").offsets, byTime, `seed ${seed}`);
  }
});

test("the bound is the most that is alive at a step", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const tested = problem(seed, 20);
    let most = 0;
    for (let step = 0; step < 12; step++) {
      const live = tested.buffers.filter(({ start, end }) => start <= step && step < end);
      most = Math.max(
        most,
        live.reduce((sum, { size }) => sum + size, 0),
      );
    }
    assert.is(liveBound(tested), most, `seed ${seed}`);
  }
});

test("a report's bytes add up to its buffers at every step", () => {
  const { buffers } = problem(5, 40);
  const categories = ["weights", "activations", "gradients"] as const;
  const labels = buffers.map(({ size, start, end }, index) => ({
    name: `b${index}`,
    layer: "",
    category: categories[index % 3],
    type: "bytes",
    bytes: size,
    offset: 0,
    start,
    end,
  }));
  const steps = Array.from({ length: 12 }, () => ({ name: "step", phase: "forward" as const, layer: "" }));
  const report = memoryReport("test", steps, labels, 0);
  for (let step = 0; step < 12; step++) {
    for (const category of categories) {
      const alive = labels.filter((label) => label.category === category && label.start <= step && step < label.end);
      assert.is(
        report.live[category][step],
        alive.reduce((sum, { bytes }) => sum + bytes, 0),
      );
    }
  }
  assert.is(report.peak.bytes, liveBound({ buffers }));
});

const problems = join(process.cwd(), "../shared/data");
const trace = join(problems, "idealloc/resnet50.csv");
const published = suite("published memory problems", !existsSync(trace) && "../shared/data is not there");

published("ResNet-50's training trace (idealloc) is planned within 1 % of the bound", () => {
  const [header, ...lines] = readFileSync(trace, "utf8").trim().split("\n");
  assert.is(header.split(",").slice(0, 4).join(","), "id,lower,upper,size");
  const buffers = lines.map((line) => {
    const [id, start, end, size] = line.split(",").map(Number);
    return { id, start, end, size, alignment: 1 };
  });
  const plan = bestGreedyPlan({ buffers });
  assert.equal(validatePlan({ buffers }, plan), []);
  const ratio = plan.height / liveBound({ buffers });
  assert.ok(ratio < 1.01, `${ratio}`);
});

test.run();
published.run();
