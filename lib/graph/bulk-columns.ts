import type { Codelet, Direction, EdgeField, Field, StateField } from "./codelet.ts";
import { checkConnection, stateExpected, tensorExpected } from "./connections.ts";
import type { Run } from "./pieces.ts";
import type { TensorView } from "./tensor-view.ts";
import type { VariableTable } from "./variables.ts";
import type { VertexTable } from "./vertices.ts";

/**
 * One field of many vertices: vertex `i` is connected to `length` elements of the flattened tensor from `starts[i]`.
 * A single number stands for the same start, or the same length, of all.
 */
export interface EdgeColumn {
  readonly tensor: TensorView;
  readonly starts: number | ArrayLike<number>;
  readonly lengths?: number | ArrayLike<number>;
}

/**
 * A field of several vectors, of many vertices: vertex `i` has the next `counts[i]` vectors of an edge column that has a
 * place for each vector. A single number stands for the same count of all.
 */
export interface VectorsColumn extends EdgeColumn {
  readonly counts: number | ArrayLike<number>;
}

/** A field's column: where each vertex is connected, or the number that each holds if the field is state. */
export type FieldColumn<F extends Field> = F extends StateField
  ? number | ArrayLike<number>
  : F extends EdgeField<Direction, "vectors">
    ? VectorsColumn
    : EdgeColumn;

export type AnyColumn = number | ArrayLike<number> | EdgeColumn | VectorsColumn;

/** The field of many vertices that a column fills. */
interface BulkField<F extends Field = Field> {
  /** How errors call the vertices. */
  readonly called: string;
  readonly codelet: Codelet;
  readonly field: F;
  readonly name: string;
  /** The field's place among those of the codelet. */
  readonly place: number;
  /** Vertices. */
  readonly count: number;
}

/** Checks a column once and returns what fills a vertex's field from it. */
export function columnFiller(
  { variables, vertices }: { readonly variables: VariableTable; readonly vertices: VertexTable },
  bulk: BulkField,
  column: AnyColumn,
): (vertex: number, index: number) => void {
  const { called, field, name, place, count } = bulk;
  const isEdgeColumn = typeof column === "object" && "tensor" in column;
  if (field.kind === "state") {
    if (isEdgeColumn) throw stateExpected(called, name, column.tensor.describe());
    const valueAt = reader(called, name, column, count);
    return (vertex, index) => vertices.setState(vertex, place, valueAt(index));
  }
  if (!isEdgeColumn) throw tensorExpected(called, name, "numbers");
  if (field.extent === "vectors") return vectorsFiller({ variables, vertices }, { ...bulk, field }, column);
  if ("counts" in column) throw countsUnexpected(called, name);
  const intervals = intervalsOf(variables, { ...bulk, field }, column, count);
  const { flat, startAt, lengthAt } = intervals;
  const { runs } = flat;
  if (runs.length === 1 && runs[0].step === 1) {
    const [{ variable, start }] = runs;
    return (vertex, index) => {
      vertices.connectInterval(vertex, place, variable, start + startAt(index), lengthAt(index));
    };
  }
  return (vertex, index) => vertices.connectRuns(vertex, place, runsAt(intervals, index));
}

/** The same for a field of several vectors. */
function vectorsFiller(
  { variables, vertices }: { readonly variables: VariableTable; readonly vertices: VertexTable },
  bulk: BulkField<EdgeField>,
  column: EdgeColumn | VectorsColumn,
): (vertex: number, index: number) => void {
  const { called, name, place, count } = bulk;
  if (!("counts" in column)) throw countsExpected(called, name);
  const countAt = reader(called, `${name}, counts`, column.counts, count);
  const firsts = new Float64Array(count + 1);
  for (let index = 0; index < count; index++) {
    const own = countAt(index);
    if (!Number.isSafeInteger(own) || own < 0) {
      throw new Error(
        `${called}: counts of field "${name}" must be whole numbers ≥ 0, got ${own} (index ${index}); correct the column`,
      );
    }
    firsts[index + 1] = firsts[index] + own;
  }
  const intervals = intervalsOf(variables, bulk, column, firsts[count]);
  return (vertex, index) => {
    const vectors: (readonly Run[])[] = [];
    for (let vector = firsts[index]; vector < firsts[index + 1]; vector++) vectors.push(runsAt(intervals, vector));
    vertices.connectVectors(vertex, place, vectors);
  };
}

/** Checks every place of a column and returns where they lie. */
function intervalsOf(
  variables: VariableTable,
  { called, codelet, field, name }: BulkField<EdgeField>,
  { tensor, starts, lengths = 1 }: EdgeColumn,
  count: number,
): Intervals {
  const flat = tensor.flatten();
  const startAt = reader(called, name, starts, count);
  const lengthAt = reader(called, name, lengths, count);
  // What does not depend on the place is checked on one element; then every place.
  const sample = flat.slice(0, Math.min(1, flat.elements)).reshape(flat.elements > 0 ? [] : [0]);
  checkConnection(variables, called, field, name, codelet, field.extent === "vectors" ? [sample] : sample);
  for (let index = 0; index < count; index++) {
    const start = startAt(index);
    const length = lengthAt(index);
    const whole = Number.isSafeInteger(start) && Number.isSafeInteger(length);
    if (
      !whole ||
      start < 0 ||
      length < 0 ||
      start + length > flat.elements ||
      (field.extent === "scalar" && length !== 1)
    ) {
      const rule = field.extent === "scalar" ? "one element" : "elements";
      throw new Error(
        `${called}: field "${name}" must lie on ${rule} 0 to ${flat.elements} of its tensor, got ${length} from ${start} (index ${index}, ${tensor.describe()}); correct the column`,
      );
    }
  }
  return { flat, startAt, lengthAt };
}

/** Parts of a flat tensor by index. */
interface Intervals {
  readonly flat: TensorView;
  readonly startAt: (index: number) => number;
  readonly lengthAt: (index: number) => number;
}

function runsAt({ flat, startAt, lengthAt }: Intervals, index: number): readonly Run[] {
  const begin = startAt(index);
  return flat.slice(begin, begin + lengthAt(index)).runs;
}

/** Reads a column that may be one number for all. */
export function reader(
  called: string,
  name: string,
  column: number | ArrayLike<number>,
  count: number,
): (index: number) => number {
  if (typeof column === "number") return () => column;
  if (column.length !== count) {
    throw new Error(
      `${called}: the column of "${name}" must have a place a vertex, got ${column.length} for ${count}; give all of them`,
    );
  }
  return (index) => column[index];
}

export function unconnectedColumn(called: string, name: string): Error {
  return new Error(`${called}: every field must have a column, got none for "${name}"; add it`);
}

function countsExpected(called: string, name: string): Error {
  return new Error(
    `${called}: field "${name}" is a list of vectors and must be told how many each vertex has, got no counts; add counts to the column`,
  );
}

function countsUnexpected(called: string, name: string): Error {
  return new Error(`${called}: field "${name}" is one vector a vertex, got counts; leave them out`);
}
