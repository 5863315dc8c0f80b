import type { Operation } from "../../ir/index.ts";
import type { Buffer } from "../buffer.ts";
import type { BlocksOfSamples, Loops } from "../loop-space.ts";
import type { Nest, Scratch } from "../nest.ts";
import type { ProductVariant } from "../product-variants.ts";
import type { Operand } from "../rules/rule.ts";

/** An operator's output that is computed in stages: what comes before its elements has loops of its own. */
export interface Staged {
  /** The output, of which elements are asked for at the positions of `spaces`. */
  readonly output: Operand;
  /** The loops that together go over the output. */
  readonly spaces: readonly Loops[];
  /** What the nest that stores the elements becomes: it may have to run inside of loops, behind other nests. */
  around(nest: Nest): Nest;
}

/** What stages are made from, and where they put the loops that run before and their scratch memory. */
export interface StageInput {
  readonly operation: Operation;
  readonly operands: readonly Operand[];
  /** The blocks of samples of which the loop is elsewhere; null for all samples. */
  readonly cut: (BlocksOfSamples & { readonly sums: { readonly parts: number } | null }) | null;
  readonly products: ProductVariant;
  readonly nests: Nest[];
  readonly scratch: Scratch[];
}

/** Scratch memory for so many numbers, or for so many of each thread's own. */
export function scratchFor({ scratch }: Pick<StageInput, "scratch">, elements: number, perThread: boolean): Buffer {
  scratch.push({ bytes: 4 * elements, perThread });
  return { kind: "scratch", index: scratch.length - 1, dtype: "float32" };
}
