import type { ElementType, Run, TensorView, Variable } from "../graph/index.ts";
import { decodeHalf, encodeHalf } from "../tensor/index.ts";

/** Elements as a codelet sees them: half precision as the single-precision numbers that it can represent. */
export type Elements = Float32Array | Int32Array | Uint8Array;

/** Elements as memory holds them: half precision as its 16 bits. */
export type Stored = Elements | Uint16Array;

/** What a tensor of a device is called on the host. */
export const dtypeOf = { float: "float32", half: "float16", int: "int32", bool: "bool" } as const;

/** A zeroed array of elements for a codelet. */
export function allocateElements(type: ElementType, count: number): Elements {
  if (type === "int") return new Int32Array(count);
  return type === "bool" ? new Uint8Array(count) : new Float32Array(count);
}

/** Zeroed memory for elements. */
export function allocateStored(type: ElementType, count: number): Stored {
  return type === "half" ? new Uint16Array(count) : allocateElements(type, count);
}

let halves: Float32Array | undefined;

/** The number that each 16 bits stand for. */
function halfNumbers(): Float32Array {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => decodeHalf("float16", bits));
  return halves;
}

/** Elements of memory, `step` apart, as a codelet sees them: written to `into` from `at` on. */
export function loadElements(
  type: ElementType,
  memory: Stored,
  { start, count, step }: Pick<Run, "start" | "count" | "step">,
  into: { [index: number]: number },
  at = 0,
): void {
  if (type === "half") {
    const numbers = halfNumbers();
    for (let i = 0; i < count; i++) into[at + i] = numbers[memory[start + i * step]];
  } else for (let i = 0; i < count; i++) into[at + i] = memory[start + i * step];
}

/** Numbers from `values`, from `at` on, to elements of memory, rounded to what it holds. */
export function storeElements(
  type: ElementType,
  memory: Stored,
  { start, count, step }: Pick<Run, "start" | "count" | "step">,
  values: ArrayLike<number>,
  at = 0,
): void {
  if (type === "half") {
    for (let i = 0; i < count; i++) memory[start + i * step] = encodeHalf("float16", values[at + i]);
  } else if (type === "bool") {
    for (let i = 0; i < count; i++) memory[start + i * step] = Number(values[at + i] !== 0);
  } else for (let i = 0; i < count; i++) memory[start + i * step] = values[at + i];
}

/** The values of all variables. */
export class Storage {
  readonly #variables: readonly Variable[];
  readonly #arrays: readonly Stored[];

  constructor(variables: readonly Variable[]) {
    this.#variables = variables;
    this.#arrays = variables.map(({ type, elements }) => allocateStored(type, elements));
  }

  /** All elements back to 0. */
  clear(): void {
    for (const array of this.#arrays) array.fill(0);
  }

  /** Consecutive elements of a variable, as they lie: what is written there is written to the variable. Not of halves. */
  window(variable: number, start: number, count: number): Elements {
    const array = this.#arrays[variable];
    if (array instanceof Uint16Array) throw new Error("internal: a codelet is handed the bits of halves");
    return array.subarray(start, start + count);
  }

  /** A copy of a tensor's elements in row-major order. */
  read({ runs, type, elements }: Pick<TensorView, "runs" | "type" | "elements">): Elements {
    const values = allocateElements(type, elements);
    this.gather(runs, values);
    return values;
  }

  /** Copies the elements of the runs, in order, to an array. */
  gather(runs: readonly Run[], values: Elements): void {
    let next = 0;
    for (const run of runs) {
      loadElements(this.#variables[run.variable].type, this.#arrays[run.variable], run, values, next);
      next += run.count;
    }
  }

  /** Writes numbers to the elements of the runs, in order, rounded to what memory holds. */
  scatter(runs: readonly Run[], values: ArrayLike<number>): void {
    let next = 0;
    for (const run of runs) {
      storeElements(this.#variables[run.variable].type, this.#arrays[run.variable], run, values, next);
      next += run.count;
    }
  }
}
