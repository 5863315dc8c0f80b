import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  liveBound,
  type MemoryProblem,
  parseMemoryCsv,
  solveOffsets,
  validatePlan,
} from "../../../lib/memory/index.ts";
import { joinBuffers } from "../../../lib/memory/join-buffers.ts";
import { type SearchFocus, searchOffsets } from "../../../lib/memory/offset-search.ts";
import { sectionsOf } from "../../../lib/memory/sections.ts";
import { random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";

const test = suite("exact offset search");

function problem(seed: number, count: number, steps: number, largest: number, alignments: number[]): MemoryProblem {
  const source = random(seed);
  const buffers = Array.from({ length: count }, (_, id) => {
    const start = integer(source, 0, steps - 1);
    const alignment = alignments[integer(source, 0, alignments.length - 1)];
    return { id, size: integer(source, 0, largest), alignment, start, end: integer(source, start, steps) };
  });
  return { buffers };
}

/** The lowest height there is: every order, each buffer on top of what it meets. */
function lowestHeight({ buffers }: MemoryProblem): number {
  const live = buffers.filter(({ size, start, end }) => size > 0 && start < end);
  let lowest = Number.POSITIVE_INFINITY;
  const place = (placed: readonly { start: number; end: number; top: number }[], height: number): void => {
    if (height >= lowest) return;
    if (placed.length === live.length) lowest = height;
    for (const buffer of live) {
      const { size, alignment, start, end } = buffer;
      if (placed.some((other) => "buffer" in other && other.buffer === buffer)) continue;
      const floor = placed.reduce(
        (most, other) => (other.start < end && start < other.end ? Math.max(most, other.top) : most),
        0,
      );
      const top = Math.ceil(floor / alignment) * alignment + size;
      place([...placed, { buffer, start, end, top } as (typeof placed)[number]], Math.max(height, top));
    }
  };
  place([], 0);
  return lowest;
}

test("the lowest plan is that of brute force, with and without alignment", () => {
  let aboveBound = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const tested = problem(seed, integer(random(seed, 1), 0, 6), 7, 9, seed % 2 === 0 ? [1] : [1, 2, 4, 3]);
    const solution = solveOffsets(tested);
    const lowest = lowestHeight(tested);
    assert.equal(validatePlan(tested, solution.plan), [], `seed ${seed}`);
    assert.is(solution.status, "optimal", `seed ${seed}`);
    // The height counts buffers that are never alive; they lie at 0.
    const most = Math.max(lowest, ...tested.buffers.map(({ size }) => size));
    assert.is(solution.plan.height, most, `seed ${seed}`);
    if (lowest > liveBound(tested)) aboveBound++;
  }
  assert.ok(aboveBound > 10, `some of the lowest plans are above the bound (${aboveBound})`);
});

test("wherever it goes on, the search alone finds or refutes a plan as brute force does", () => {
  const seen = { found: 0, impossible: 0, joined: 0 };
  for (let seed = 1; seed <= 150; seed++) {
    const { buffers } = problem(seed, 7, 6, 9, seed % 2 === 0 ? [1] : [1, 2, 3]);
    const tested = { buffers: buffers.filter(occupied) };
    const lowest = lowestHeight(tested);
    const { problem: searched, unit } = sectionsOf(tested);
    for (const height of [lowest - 1, lowest]) {
      const capacity = Math.floor(height / unit);
      const { problem: joined } = joinBuffers(searched, capacity);
      seen.joined += searched.count - joined.count;
      for (const focus of ["contested", "tightest", "lowest"] satisfies SearchFocus[]) {
        const { verdict } = searchOffsets(joined, {
          capacity,
          focus,
          weight: new Float64Array(joined.count),
          conflicts: new Float64Array(joined.sections).fill(1),
          steps: 1_000_000,
          shouldStop: () => false,
        });
        const fits = capacity * unit >= lowest;
        assert.is(verdict, fits ? "found" : "impossible", `seed ${seed}, ${focus}, ${capacity}`);
        seen[fits ? "found" : "impossible"]++;
      }
    }
  }
  assert.ok(seen.found > 100 && seen.impossible > 100 && seen.joined > 0, JSON.stringify(seen));
});

function occupied({ size, start, end }: MemoryProblem["buffers"][number]): boolean {
  return size > 0 && start < end;
}

test("a capacity is met exactly when brute force can meet it", () => {
  const seen = { impossible: 0, met: 0 };
  for (let seed = 1; seed <= 300; seed++) {
    const { buffers } = problem(seed, 7, 6, 9, [1]);
    const tested = { buffers: buffers.filter(occupied) };
    const lowest = lowestHeight(tested);
    const capacity = lowest - integer(random(seed, 2), 0, 1);
    const { status, plan, lowerBound } = solveOffsets(tested, { capacity });
    assert.equal(validatePlan(tested, plan), [], `seed ${seed}`);
    assert.is(plan.height <= capacity, capacity >= lowest, `seed ${seed}`);
    assert.is(
      status === "fits" || (status === "optimal" && plan.height <= capacity),
      capacity >= lowest,
      `seed ${seed}`,
    );
    assert.ok(lowerBound <= lowest, `seed ${seed}`);
    seen[capacity < lowest ? "impossible" : "met"]++;
  }
  assert.ok(seen.impossible > 50 && seen.met > 50, JSON.stringify(seen));
});

test("a filled rectangle cut at random is put together again without a gap", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const source = random(seed);
    const buffers: { id: number; size: number; alignment: number; start: number; end: number }[] = [];
    const cut = (start: number, end: number, size: number, depth: number): void => {
      const across = integer(source, 0, 1) === 0;
      if (depth === 0 || (across ? end - start : size) < 2) {
        buffers.push({ id: buffers.length, size, alignment: 1, start, end });
      } else if (across) {
        const middle = integer(source, start + 1, end - 1);
        cut(start, middle, size, depth - 1);
        cut(middle, end, size, depth - 1);
      } else {
        const below = integer(source, 1, size - 1);
        cut(start, end, below, depth - 1);
        cut(start, end, size - below, depth - 1);
      }
    };
    cut(0, 60, 100, 5);
    const { plan, status } = solveOffsets({ buffers });
    assert.equal([status, plan.height, validatePlan({ buffers }, plan)], ["optimal", 100, []], `seed ${seed}`);
  }
});

test("a search that runs out of steps, or is stopped, says so and still gives a valid plan", () => {
  const tested = problem(9, 120, 40, 1000, [1]);
  for (const options of [{ steps: 50 }, { shouldStop: () => true }]) {
    const { plan, status, lowerBound, steps } = solveOffsets(tested, options);
    assert.is(status, "limit");
    assert.equal(validatePlan(tested, plan), []);
    assert.ok(lowerBound < plan.height && steps < 1000, `${steps} steps`);
  }
});

test.run();

const data = join(process.cwd(), "../shared/data");
const published = suite("published memory problems, searched", !existsSync(data) && "../shared/data is not there");

// E takes a minute of a slow machine: `npm run bench -- minimalloc` solves it with the others.
for (const name of ["A", "B", "C", "D", "F"]) {
  published(`MiniMalloc's problem ${name} fits 1,048,576 bytes`, () => {
    const { problem } = parseMemoryCsv(readFileSync(join(data, `minimalloc/${name}.1048576.csv`), "utf8"), name);
    const { plan } = solveOffsets(problem, { capacity: 1_048_576 });
    assert.equal(validatePlan(problem, plan), []);
    assert.ok(plan.height <= 1_048_576, `${plan.height}`);
  });
}

published("MiniMalloc's example fits 12 and not 11, and its ids are names", () => {
  const { problem, names } = parseMemoryCsv(readFileSync(join(data, "minimalloc/input.12.csv"), "utf8"), "input");
  assert.is(names[0], "b1");
  assert.is(solveOffsets(problem).plan.height, 12);
  assert.is(solveOffsets(problem, { capacity: 11 }).status, "impossible");
});

published("ResNet-50's training trace (idealloc) is planned below 1.0030 of the bound", () => {
  const { problem } = parseMemoryCsv(readFileSync(join(data, "idealloc/resnet50.csv"), "utf8"), "resnet50");
  const { plan, lowerBound } = solveOffsets(problem, { steps: 100_000 });
  assert.equal(validatePlan(problem, plan), []);
  assert.is(lowerBound, liveBound(problem));
  assert.ok(plan.height < 1.003 * lowerBound, `${plan.height / lowerBound}`);
});

published.run();
