import { dtypes } from "./dtype.ts";
import { elementCount, formatShape, rowMajorStrides } from "./shape.ts";
import { elementAt, type HostTensor } from "./tensor.ts";

/** Larger tensors are shown by their edges only … */
const mostElements = 1000;
/** … which are this many elements at each end of an axis. */
const edge = 3;
/** More digits than float32 keeps say nothing. */
const digits = 6;

/** Whether a value is a tensor, by its form: tensors are plain data. */
export function isHostTensor(value: object): value is HostTensor {
  const asked = value as Partial<HostTensor>;
  return Array.isArray(asked.shape) && dtypes.some((known) => known === asked.dtype) && ArrayBuffer.isView(asked.data);
}

/** One line about a tensor: `tensor float32 [2,3]`. */
export function tensorTitle({ dtype, shape }: HostTensor): string {
  return `tensor ${dtype} ${formatShape(shape)}`;
}

/**
 * A tensor as a console shows it: its dtype and shape, then its elements in brackets nested as deep as the shape is long,
 * the innermost axis a line each, with `…` for the middle of what is too long to be read.
 */
export function tensorText(tensor: HostTensor): string {
  const { shape } = tensor;
  if (tensor.data.length !== elementCount(shape)) {
    return `${tensorTitle(tensor)}, but with ${tensor.data.length} elements`;
  }
  if (shape.length === 0) return `${tensorTitle(tensor)} ${numberText(elementAt(tensor, 0))}`;
  const strides = rowMajorStrides(shape);
  const isLong = elementCount(shape) > mostElements;
  const shown = shape.map((extent) => shownIndices(extent, isLong));
  const rows = (axis: number, offset: number): readonly (string | Nested)[] =>
    shown[axis].map((index) => {
      if (index === "…") return "…";
      const position = offset + index * strides[axis];
      return axis === shape.length - 1 ? numberText(elementAt(tensor, position)) : { rows: rows(axis + 1, position) };
    });
  const nested = { rows: rows(0, 0) };
  return `${tensorTitle(tensor)}\n${bracketed(nested, widest(nested), 0)}`;
}

/** Numbers as text, as deep as the tensor is. */
interface Nested {
  readonly rows: readonly (string | Nested)[];
}

function shownIndices(extent: number, isLong: boolean): readonly (number | "…")[] {
  const all = Array.from({ length: extent }, (_, index) => index);
  return isLong && extent > 2 * edge + 1 ? [...all.slice(0, edge), "…", ...all.slice(-edge)] : all;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(Number.isInteger(value) ? value : Number(value.toPrecision(digits)));
}

function widest({ rows }: Nested): number {
  return Math.max(0, ...rows.map((row) => (typeof row === "string" ? row.length : widest(row))));
}

function bracketed({ rows }: Nested, width: number, depth: number): string {
  const isInnermost = rows.every((row) => typeof row === "string");
  const parts = rows.map((row) => {
    if (typeof row !== "string") return bracketed(row, width, depth + 1);
    return isInnermost ? row.padStart(width) : row;
  });
  return `[${parts.join(isInnermost ? ", " : `,\n${" ".repeat(depth + 1)}`)}]`;
}
