import type { ElementType, Run, TensorView, Variable } from "../graph/index.ts";
import { decodeHalf, encodeHalf } from "../tensor/index.ts";

/** Elements as the host holds them; half precision as the single-precision numbers that it can represent. */
export type Elements = Float32Array | Int32Array | Uint8Array;

/** A zeroed array of elements. */
export function allocateElements(type: ElementType, count: number): Elements {
  if (type === "int") return new Int32Array(count);
  return type === "bool" ? new Uint8Array(count) : new Float32Array(count);
}

/** What a device's memory would hold in the place of a number; typed arrays round the rest. */
export function rounded(type: ElementType, value: number): number {
  if (type === "half") return decodeHalf("float16", encodeHalf("float16", value));
  return type === "bool" ? Number(value !== 0) : value;
}

/** The values of all variables. */
export class Storage {
  readonly #variables: readonly Variable[];
  readonly #arrays: readonly Elements[];

  constructor(variables: readonly Variable[]) {
    this.#variables = variables;
    this.#arrays = variables.map(({ type, elements }) => allocateElements(type, elements));
  }

  /** All elements back to 0. */
  clear(): void {
    for (const array of this.#arrays) array.fill(0);
  }

  /** Consecutive elements of a variable, as they lie: what is written there is written to the variable. */
  window(variable: number, start: number, count: number): Elements {
    return this.#arrays[variable].subarray(start, start + count);
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
    for (const { variable, start, count, step } of runs) {
      const array = this.#arrays[variable];
      for (let i = 0; i < count; i++) values[next++] = array[start + i * step];
    }
  }

  /** Writes numbers to the elements of the runs, in order, rounded to what memory holds. */
  scatter(runs: readonly Run[], values: ArrayLike<number>): void {
    let next = 0;
    for (const { variable, start, count, step } of runs) {
      const array = this.#arrays[variable];
      const { type } = this.#variables[variable];
      if (type === "half" || type === "bool") {
        for (let i = 0; i < count; i++) array[start + i * step] = rounded(type, values[next++]);
      } else {
        for (let i = 0; i < count; i++) array[start + i * step] = values[next++];
      }
    }
  }
}
