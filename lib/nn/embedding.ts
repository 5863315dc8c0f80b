import type { Initialiser } from "./initialisers.ts";
import { checkSize, type Layer } from "./layer.ts";

/** Settings of an embedding. */
export interface EmbeddingOptions {
  /** How rows begin; normal numbers, so that a row is about 1 long, unless told otherwise. */
  readonly initialiser?: Initialiser;
}

const unitRows: Initialiser = (shape, random) => random.normal(shape, 0, 1 / Math.sqrt(shape[1]));

/**
 * A vector for each of some numbers, such as words: from [batch, …] of row numbers, written as floats because that is
 * what a model takes, to [batch, …, width]. A number without a row gives NaN, which stops training.
 */
export function embedding(rows: number, width: number, { initialiser = unitRows }: EmbeddingOptions = {}): Layer {
  checkSize("embedding", "rows", rows);
  checkSize("embedding", "width", width);
  return {
    type: "embedding",
    label: `embedding(${rows}, ${width})`,
    build({ builder, parameter }, input) {
      const table = parameter("table", [rows, width], initialiser);
      return builder.apply("gather", [table, builder.apply("cast", [input], { dtype: "int32" })]);
    },
  };
}
