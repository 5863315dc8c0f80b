import { codelet, inOut, input, output, type ReadonlyVector, type Target } from "../graph/index.ts";
import { allWorkers, checkLengths, type FloatType, stepsPerWorker, type Vector, vectorWidth } from "./support.ts";

/** Element-wise operations on two vectors. */
export type BinaryOperation = "add" | "subtract" | "multiply";

const meanings: Readonly<Record<BinaryOperation, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
};

// PopLibs, estimators of BinaryOp1D: cycles before a worker's loop, then three a vector: two loads and the operation.
const loopCycles = 3;
const supervisorCycles = 11;
const workerCycles: Readonly<Record<FloatType, number>> = { float: 29, half: 26 };
const inPlaceWorkerCycles = 58;

/**
 * `out = left ∘ right`, element by element.
 *
 * Cycles: W · (29 float or 26 half + 3 · ⌈n / W / width⌉) + 11, after PopLibs' estimator of BinaryOp1D.
 */
export function binary<T extends FloatType>(operation: BinaryOperation, type: T) {
  const compute = meanings[operation];
  return codelet(
    `BinaryOp1D<${operation},${type}>`,
    { left: input.vector(type), right: input.vector(type), out: output.vector(type) },
    ({ left, right, out: written }) => {
      const out = written as Vector;
      checkLengths({ left, right, out });
      for (let i = 0; i < out.length; i++) out[i] = compute(left[i], right[i]);
    },
    ({ left, right, out }, target) => {
      checkLengths({ left, right, out });
      return binaryCycles(out.length, type, target);
    },
    allWorkers,
  );
}

/**
 * `values = values ∘ operand`, element by element.
 *
 * Cycles: as `binary`, with 58 in place of 29 or 26. The table that this follows gives it for float; half is taken alike.
 */
export function binaryInPlace<T extends FloatType>(operation: BinaryOperation, type: T) {
  const compute = meanings[operation];
  return codelet(
    `BinaryOp1DInPlace<${operation},${type}>`,
    { values: inOut.vector(type), operand: input.vector(type) },
    ({ values: changed, operand }) => applyInPlace(changed as Vector, operand, compute),
    ({ values, operand }, target) => {
      checkLengths({ values, operand });
      return inPlaceCycles(values.length, type, target);
    },
    allWorkers,
  );
}

/** Changes every value by the operand's element beside it. */
export function applyInPlace(
  values: Vector,
  operand: ReadonlyVector,
  compute: (value: number, operand: number) => number,
): void {
  checkLengths({ values, operand });
  for (let i = 0; i < values.length; i++) values[i] = compute(values[i], operand[i]);
}

/** What changing `count` values in place by an operand costs. */
export function inPlaceCycles(count: number, type: FloatType, target: Target): number {
  return cycles(inPlaceWorkerCycles, count, type, target);
}

/** What an operation on `count` pairs costs, with three cycles a vector or as many as the loop of another takes. */
export function binaryCycles(count: number, type: FloatType, target: Target, loop = loopCycles): number {
  return cycles(workerCycles[type], count, type, target, loop);
}

function cycles(base: number, count: number, type: FloatType, target: Target, loop = loopCycles): number {
  const steps = stepsPerWorker(count, vectorWidth[type], target);
  return target.workersPerTile * (base + loop * steps) + supervisorCycles;
}
