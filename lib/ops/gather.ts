import { defineOperator, type Value } from "../ir/index.ts";
import { bytesOf, elementCount, formatTypes, isFloat } from "../tensor/index.ts";

/** Rows of a table by their numbers: what an embedding is. */
export const gather = defineOperator({
  name: "gather",
  summary: "for a table [r, …] and whole numbers of any shape: the rows of these numbers, [numbers …, …]",
  constraints: {
    C1: { rule: "there must be a table of a float dtype and rank ≥ 1", remedy: "give the table first" },
    C2: { rule: "the rows must be int32", remedy: "give row numbers as whole numbers" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    const got = (): string => formatTypes(inputs);
    const [table, rows] = inputs;
    require(inputs.length === 2 && isFloat(table.dtype) && table.shape.length >= 1, "C1", got);
    require(rows.dtype === "int32", "C2", got);
    return [{ dtype: table.dtype, shape: [...rows.shape, ...table.shape.slice(1)] }];
  },
  compute([table, rows], [y]) {
    const length = elementCount(table.shape.slice(1));
    for (let i = 0; i < y.data.length; i++) {
      const row = rows.data[Math.floor(i / length)];
      // There is no such row: NaN, as for a label outside the classes, so that nobody trains on it unawares.
      const known = row >= 0 && row < table.shape[0];
      y.data[i] = known ? table.data[row * length + (i % length)] : Number.NaN;
    }
  },
  gradient: ({ builder, inputs: [table, rows], outputGradients }) => [
    builder.apply("scatterAdd", [outputGradients[0] as Value, rows], { rows: table.type.shape[0] }),
    null,
  ],
  cost: ([, rows], [y]) => ({ flops: 0, bytes: bytesOf(rows) + 2 * bytesOf(y) }),
  inPlace: [],
});

/** Adds each piece to the row of its number: the gradient of `gather`. */
export const scatterAdd = defineOperator({
  name: "scatterAdd",
  summary:
    "for pieces [numbers …, …] and whole numbers: a table of `rows` rows, each the sum of the pieces of its number",
  constraints: {
    C1: { rule: "there must be pieces of a float dtype", remedy: "cast them to float32 first" },
    C2: { rule: "the numbers must be int32, of the pieces' leading axes", remedy: "give one number per piece" },
    C3: { rule: "rows must be a whole number ≥ 0", remedy: "give the number of rows of the table" },
  },
  attributes: { rows: { kind: "number" } },
  inferTypes(inputs, { rows }, require) {
    const got = (): string => formatTypes(inputs);
    const [pieces, numbers] = inputs;
    require(inputs.length === 2 && isFloat(pieces.dtype), "C1", got);
    const leading = numbers.shape.every((extent, axis) => extent === pieces.shape[axis]);
    require(numbers.dtype === "int32" && leading, "C2", got);
    require(Number.isInteger(rows) && rows >= 0, "C3", () => String(rows));
    return [{ dtype: pieces.dtype, shape: [rows, ...pieces.shape.slice(numbers.shape.length)] }];
  },
  compute([pieces, numbers], [y]) {
    const length = elementCount(y.shape.slice(1));
    const sums = new Float64Array(y.data.length);
    for (let i = 0; i < pieces.data.length; i++) {
      const row = numbers.data[Math.floor(i / length)];
      if (row >= 0 && row < y.shape[0]) sums[row * length + (i % length)] += pieces.data[i];
    }
    y.data.set(sums);
  },
  gradient: ({ builder, inputs: [, numbers], outputGradients }) => [
    builder.apply("gather", [outputGradients[0] as Value, numbers]),
    null,
  ],
  cost: ([pieces, numbers], [y]) => ({
    flops: elementCount(pieces.shape),
    bytes: bytesOf(pieces) + bytesOf(numbers) + bytesOf(y),
  }),
  inPlace: [],
});
