import { rowMajorStrides, type Shape } from "../tensor/index.ts";

/** Elements of one variable at regular distances: the element at `index` lies at `offset + Σ index·stride`. */
export interface Piece {
  readonly variable: number;
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** Elements `start`, `start + step`, … of a variable; a step of 0 repeats one element. */
export interface Run {
  readonly variable: number;
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/** The elements of a piece as runs, in row-major order, with axes that continue each other taken together. */
export function runsOf({ variable, offset, shape, strides }: Piece): Run[] {
  const extents: number[] = [];
  const steps: number[] = [];
  for (const [axis, extent] of shape.entries()) {
    if (extent === 0) return [];
    if (extent === 1) continue;
    const last = extents.length - 1;
    if (last >= 0 && steps[last] === extent * strides[axis]) {
      extents[last] *= extent;
      steps[last] = strides[axis];
    } else {
      extents.push(extent);
      steps.push(strides[axis]);
    }
  }
  if (extents.length === 0) return [{ variable, start: offset, count: 1, step: 1 }];
  const count = extents.pop() as number;
  const step = steps.pop() as number;
  const runs: Run[] = [];
  const visit = (axis: number, start: number): void => {
    if (axis === extents.length) runs.push({ variable, start, count, step });
    else for (let index = 0; index < extents[axis]; index++) visit(axis + 1, start + index * steps[axis]);
  };
  visit(0, offset);
  return runs;
}

/** The pieces of a tensor of this shape whose elements are those of the runs: one piece if one run holds them all. */
export function piecesOf(runs: readonly Run[], shape: Shape): Piece[] {
  if (runs.length !== 1) {
    return runs.map(({ variable, start, count, step }) => ({
      variable,
      offset: start,
      shape: [count],
      strides: [step],
    }));
  }
  const [{ variable, start, step }] = runs;
  return [{ variable, offset: start, shape, strides: rowMajorStrides(shape).map((stride) => stride * step) }];
}

/**
 * The elements of `source` at the positions that `positions` holds, where a position counts row-major through `source`.
 * It is how a tensor of many pieces is sliced and shuffled: the change is made to its positions, then looked up.
 */
export function lookUp(source: readonly Run[], positions: Piece): Run[] {
  const ends: number[] = [];
  let total = 0;
  for (const run of source) ends.push((total += run.count));
  const found: Run[] = [];
  let holder = 0;
  for (const { start, count, step } of runsOf(positions)) {
    for (let index = 0; index < count; index++) {
      const position = start + index * step;
      if (position >= ends[holder] || position < ends[holder] - source[holder].count) holder = search(ends, position);
      const run = source[holder];
      appendElement(found, run.variable, run.start + (position - ends[holder] + run.count) * run.step);
    }
  }
  return found;
}

/** Runs one after the other, with those that continue each other joined. */
export function joinRuns(runs: readonly Run[]): Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    const continues =
      last !== undefined &&
      last.variable === run.variable &&
      last.step === 1 &&
      run.step === 1 &&
      last.start + last.count === run.start;
    if (continues) joined[joined.length - 1] = { ...last, count: last.count + run.count };
    else joined.push(run);
  }
  return joined;
}

/** Whether the runs hold an element more than once. */
export function hasRepeats(runs: readonly Run[]): boolean {
  if (runs.length === 1) return runs[0].step === 0 && runs[0].count > 1;
  const single = runs.flatMap(({ variable, start, count, step }) =>
    step === 1
      ? [{ variable, start, end: start + count }]
      : Array.from({ length: count }, (_, i) => ({ variable, start: start + i * step, end: start + i * step + 1 })),
  );
  single.sort((a, b) => a.variable - b.variable || a.start - b.start);
  return single.some(({ variable, start }, index) => {
    const before = single[index - 1];
    return before !== undefined && before.variable === variable && start < before.end;
  });
}

/** Positions 0, 1, 2, … of a tensor of this shape. */
export function allPositions(shape: Shape): Piece {
  return { variable: 0, offset: 0, shape, strides: rowMajorStrides(shape) };
}

/** The first index whose end lies behind the position. */
function search(ends: readonly number[], position: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle] <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function appendElement(runs: Run[], variable: number, element: number): void {
  const last = runs.at(-1);
  if (last !== undefined && last.variable === variable) {
    if (last.count === 1) {
      runs[runs.length - 1] = { variable, start: last.start, count: 2, step: element - last.start };
      return;
    }
    if (last.start + last.count * last.step === element) {
      runs[runs.length - 1] = { ...last, count: last.count + 1 };
      return;
    }
  }
  runs.push({ variable, start: element, count: 1, step: 1 });
}
