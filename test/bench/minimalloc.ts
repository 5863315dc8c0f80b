import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type MemoryProblem, parseMemoryCsv, solveOffsets, validatePlan } from "../../lib/memory/index.ts";
import { projectRoot } from "../support/environment.ts";
import type { Measured } from "./benchmark.ts";

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
  return { figures, peers: { "MiniMalloc (C++)": "not run here: a native program" } };
}
