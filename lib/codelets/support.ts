import type { CodeletOptions, Target } from "../graph/index.ts";

/** Element types that library codelets compute with: sums in single precision, rounded to the type when stored. */
export type FloatType = "float" | "half";

/** A vector to be written; what both precisions have in common. */
export interface Vector {
  readonly length: number;
  [index: number]: number;
}

/** Elements of a 64-bit load. */
export const vectorWidth: Readonly<Record<FloatType, number>> = { float: 2, half: 4 };

/** Library codelets for which a supervisor spreads one vertex over all workers. */
export const allWorkers: CodeletOptions = { workers: "all", bounds: "trusted" };

/** Library codelets of which each vertex is one worker's. */
export const oneWorker: CodeletOptions = { workers: "one", bounds: "trusted" };

const known = new Map<string, unknown>();

/** One codelet object for each name, so that vertices of a kind are counted together. */
export function sharedCodelet<C>(name: string, make: () => C): C {
  let found = known.get(name) as C | undefined;
  if (found === undefined) known.set(name, (found = make()));
  return found;
}

/** Steps of `width` elements that the busiest of a tile's workers takes through `count`. */
export function stepsPerWorker(count: number, width: number, { workersPerTile }: Target): number {
  return Math.ceil(count / workersPerTile / width);
}

/**
 * Checks that vectors go together element by element.
 *
 * @throws Error naming the fields and their lengths
 */
export function checkLengths(fields: Readonly<Record<string, { readonly length: number }>>): void {
  const named = Object.entries(fields);
  if (named.every(([, { length }]) => length === named[0][1].length)) return;
  const got = named.map(([name, { length }]) => `${name} ${length}`).join(", ");
  throw new Error(`fields must have one length, got ${got}; connect slices of the same length`);
}

/**
 * Checks that lists of vectors go together, vector by vector and element by element.
 *
 * @throws Error naming the fields and how many elements they have
 */
export function checkVectors(fields: Readonly<Record<string, readonly { readonly length: number }[]>>): void {
  const named = Object.entries(fields);
  const [, first] = named[0];
  const fits = ([, list]: (typeof named)[number]): boolean =>
    list.length === first.length && list.every(({ length }, place) => length === first[place].length);
  if (named.every(fits)) return;
  const got = named.map(([name, list]) => `${name} ${list.map(({ length }) => length).join("+")}`).join(", ");
  throw new Error(`fields must have vectors of the same lengths, got ${got}; connect blocks of the same shape`);
}
