import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type MemoryProblem, parseMemoryCsv, solveOffsets, validatePlan } from "../../lib/memory/index.ts";
import { random } from "../../lib/tensor/index.ts";
import { projectRoot } from "../support/environment.ts";
import { integer } from "../support/operator-samples.ts";
import { type Figures, type Measured, median } from "./benchmark.ts";

// Offset search on the published problems: MiniMalloc's at their capacity, idealloc's trace towards the bound.
const data = join(projectRoot, "../shared/data");
const capacity = 1_048_576;

function read(file: string): MemoryProblem {
  const path = join(data, file);
  if (!existsSync(path)) {
    throw new Error(
      `minimalloc: the published problems must be there, got no ${path}; copy them from google/minimalloc`,
    );
  }
  return parseMemoryCsv(readFileSync(path, "utf8"), path).problem;
}

/** Random problems, and seconds that each may take: a minute for all of MiniMalloc's is generous beside it. */
const randomCount = 20;
const randomSeconds = 10;

/**
 * A problem that fits its capacity by construction: a rectangle of time and addresses cut again and again, of which a
 * third of the pieces live a little shorter than the cut left them. At its fullest moments no byte is free.
 */
function cutProblem(seed: number, count: number): MemoryProblem {
  const source = random(seed);
  const pieces = [{ start: 0, end: 4 * count, size: capacity }];
  while (pieces.length < count) {
    // The largest of three, so that sizes and lives differ, but none is left over whole.
    const drawn = Array.from({ length: 3 }, () => integer(source, 0, pieces.length - 1));
    const area = (index: number): number => (pieces[index].end - pieces[index].start) * pieces[index].size;
    const chosen = drawn.reduce((best, next) => (area(next) > area(best) ? next : best));
    const { start, end, size } = pieces[chosen];
    const inTime = integer(source, 0, 1) === 0;
    if (inTime && end - start > 1) {
      const middle = integer(source, start + 1, end - 1);
      pieces.splice(chosen, 1, { start, end: middle, size }, { start: middle, end, size });
    } else if (size > 1024) {
      const below = 1024 * integer(source, 1, size / 1024 - 1);
      pieces.splice(chosen, 1, { start, end, size: below }, { start, end, size: size - below });
    }
  }
  const buffers = pieces.map(({ start, end, size }, id) => {
    const shorter =
      integer(source, 0, 2) === 0 && end - start > 1 ? integer(source, 1, Math.ceil((end - start) / 4)) : 0;
    return { id, size, alignment: 1, start, end: Math.max(start + 1, end - shorter) };
  });
  return { buffers };
}

/** How many random problems are solved, and in which time: the search was tuned on none of them. */
function randomProblems(): Figures {
  const figures: Record<string, number> = {};
  for (const count of [100, 200]) {
    const seconds: number[] = [];
    let solved = 0;
    for (let seed = 1; seed <= randomCount; seed++) {
      const problem = cutProblem(seed, count);
      const before = performance.now();
      const shouldStop = (): boolean => performance.now() - before > 1000 * randomSeconds;
      const { plan } = solveOffsets(problem, { capacity, shouldStop });
      seconds.push((performance.now() - before) / 1000);
      if (plan.height <= capacity && validatePlan(problem, plan).length === 0) solved++;
    }
    figures[`random${count}BuffersSolvedOf${randomCount}`] = solved;
    figures[`random${count}BuffersMedianSolveSeconds`] = median(seconds);
  }
  return figures;
}

export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  let sum = 0;
  for (const name of ["A", "B", "C", "D", "E", "F"]) {
    const problem = read(`minimalloc/${name}.${capacity}.csv`);
    const before = performance.now();
    const { plan } = solveOffsets(problem, { capacity });
    const seconds = (performance.now() - before) / 1000;
    const violations = validatePlan(problem, plan).length;
    if (violations > 0) throw new Error(`internal: the plan of ${name} has ${violations} violations`);
    figures[`problem${name}SolveSeconds`] = seconds;
    figures[`problem${name}HeightBytes`] = plan.height;
    sum += seconds;
  }
  figures.allSolveSeconds = sum;
  const trace = read("idealloc/resnet50.csv");
  const before = performance.now();
  // The trace is to be planned in five seconds.
  const { plan, lowerBound } = solveOffsets(trace, { shouldStop: () => performance.now() - before > 4_500 });
  figures.resnet50SolveSeconds = (performance.now() - before) / 1000;
  figures.resnet50HeightOverBound = plan.height / lowerBound;
  if (validatePlan(trace, plan).length > 0) throw new Error("internal: the plan of the trace has violations");
  Object.assign(figures, randomProblems());
  return { figures, peers: { "MiniMalloc (C++)": "not run here: a native program" } };
}
