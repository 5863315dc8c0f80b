import type { ElementType, VectorOf } from "./element-type.ts";
import type { Target } from "./target.ts";

/** Whether a vertex reads a field, writes it, or both. */
export type Direction = "input" | "output" | "inOut";

/** How much a field is connected to: one element, a vector of any length, or any number of vectors. */
export type Extent = "scalar" | "vector" | "vectors";

/** A field that an edge, or for `vectors` any number of edges, connects to tensors. */
export interface EdgeField<
  D extends Direction = Direction,
  R extends Extent = Extent,
  T extends ElementType = ElementType,
> {
  readonly kind: "edge";
  readonly direction: D;
  readonly extent: R;
  readonly type: T;
}

/** A number that the vertex itself holds, fixed when the graph is built: a size, a factor. */
export interface StateField {
  readonly kind: "state";
}

export type Field = EdgeField | StateField;
export type Fields = Readonly<Record<string, Field>>;

/** One element that a codelet may write: `out.value = 3`. */
export interface Cell {
  value: number;
}

/** A vector that a codelet may only read. */
export interface ReadonlyVector extends Iterable<number> {
  readonly length: number;
  readonly [index: number]: number;
}

/** What `compute` is handed for a field. */
export type FieldValue<F extends Field> =
  F extends EdgeField<infer D, infer R, infer T>
    ? R extends "scalar"
      ? D extends "input"
        ? number
        : Cell
      : R extends "vector"
        ? OneVector<D, T>
        : readonly OneVector<D, T>[]
    : number;

type OneVector<D extends Direction, T extends ElementType> = D extends "input" ? ReadonlyVector : VectorOf<T>;

/** What `cycles` is told of a field of several vectors. */
export interface VectorsSize {
  /** How many vectors there are. */
  readonly length: number;
  /** Elements of all of them together. */
  readonly elements: number;
}

/** What `cycles` is handed for a field: the length of what is connected, or the number held. No values: they cost alike. */
export type FieldSize<F extends Field> = F extends StateField
  ? number
  : F extends EdgeField<Direction, "vectors">
    ? VectorsSize
    : { readonly length: number };

export type FieldValues<F extends Fields> = { readonly [K in keyof F]: FieldValue<F[K]> };
export type FieldSizes<F extends Fields> = { readonly [K in keyof F]: FieldSize<F[K]> };

/** The program of a vertex: its fields, what it computes and what that costs. */
export interface Codelet<F extends Fields = Fields> {
  readonly name: string;
  readonly fields: F;
  /** `one`: a worker runs the vertex beside five others. `all`: a supervisor spreads it over all workers of the tile. */
  readonly workers: "one" | "all";
  /** `trusted` codelets are run without looking at every index; those of `codelets/` are, after tests that did look. */
  readonly bounds: "checked" | "trusted";
  compute(values: FieldValues<F>): void;
  /**
   * Cycles of a vertex with fields of these sizes: of its worker where one runs it (a worker's cycle is as many cycles
   * of the tile as there are workers), of the tile where all do.
   */
  cycles(sizes: FieldSizes<F>, target: Target): number;
}

/** How a codelet is run, where that differs from one worker and checked bounds. */
export type CodeletOptions = Partial<Pick<Codelet, "workers" | "bounds">>;

function fieldsOf<D extends Direction>(direction: D) {
  const make = <R extends Extent>(extent: R) => {
    return <T extends ElementType>(type: T): EdgeField<D, R, T> => ({ kind: "edge", direction, extent, type });
  };
  return Object.assign(make("scalar"), { vector: make("vector"), vectors: make("vectors") });
}

/** A field that is read: `input("float")` is one element, `input.vector("float")` many, `input.vectors("float")` a list of vectors. */
export const input = fieldsOf("input");
/** A field that is written; what it held before is not to be read. */
export const output = fieldsOf("output");
/** A field that is read and written. */
export const inOut = fieldsOf("inOut");

/** A number that each vertex holds, given where others give a tensor. */
export function state(): StateField {
  return { kind: "state" };
}

/**
 * Declares a codelet.
 *
 * @param name how reports and errors call it
 * @param fields what its vertices are connected by, in order
 * @param compute reads and writes the fields, and nothing else
 * @param cycles the estimate that the simulator charges
 * @throws Error if a name or the fields are missing
 */
export function codelet<const F extends Fields>(
  name: string,
  fields: F,
  compute: (values: FieldValues<F>) => void,
  cycles: (sizes: FieldSizes<F>, target: Target) => number,
  { workers = "one", bounds = "checked" }: CodeletOptions = {},
): Codelet<F> {
  if (name === "") throw new Error('codelet: a name must not be empty, got ""; reports call its vertices by it');
  if (Object.keys(fields).length === 0) {
    throw new Error(`codelet ${name}: there must be a field, got none; a vertex without edges computes nothing`);
  }
  return { name, fields, workers, bounds, compute, cycles };
}
