import type { OperatorGraph, Value } from "../../ir/index.ts";
import { bytesOf, elementCount, type Shape } from "../../tensor/index.ts";
import { GraphEditor } from "../rematerialisation/graph-editor.ts";
import { heavyOperations, type SavedValue, savedValues } from "../rematerialisation/saved-values.ts";
import type { Tape } from "../rematerialisation/tape.ts";
import { formatAmount } from "./format.ts";
import type { MemoryStrategy } from "./strategy.ts";

/** How saved activations are stored: 16 bits a number, or 8 with a scale for each block of numbers. */
export type StorageFormat = "float16" | "bfloat16" | "8-bit";

/** Settings of low-precision storage. */
export interface LowPrecisionOptions {
  /** `float16` unless told. */
  readonly format?: StorageFormat;
}

/** The largest error of what is read back, for numbers of ordinary size. */
const errors: Readonly<Record<StorageFormat, string>> = {
  float16: "2⁻¹¹ of a number above 2⁻¹⁴, numbers above 65,504 overflow",
  bfloat16: "2⁻⁸ of a number",
  "8-bit": "1/254 of the largest number of its block",
};

/** Blocks of 8-bit numbers have this many elements or more, so that the scale's four bytes do not count. */
const leastBlock = 64;

/** A way to put a tensor into fewer bytes and to get it back. */
interface Codec {
  /** Whether a tensor can be stored in this way and is smaller for it. */
  suits(value: Value): boolean;
  store(editor: GraphEditor, value: Value): readonly Value[];
  load(editor: GraphEditor, stored: readonly Value[]): Value;
}

/**
 * Stores what the backward pass will read in fewer bits, from its last use in the forward pass on, and reads it back as
 * float32 before the backward pass uses it. All arithmetic stays in float32, and the forward pass sees nothing of it: the
 * first step's loss has the same bits, its gradients are off by the rounding of activations (delayed precision
 * reduction: Jain et al., "Gist", 2018; 8 bits with a scale: Chakrabarti and Moseley, "Backprop with approximate
 * activations", 2019).
 */
export function lowPrecision({ format = "float16" }: LowPrecisionOptions = {}): MemoryStrategy {
  if (!Object.hasOwn(errors, format)) {
    throw new Error(
      `low precision: the format must be one of ${Object.keys(errors).join(", ")}, got ${JSON.stringify(format)}; choose one of them`,
    );
  }
  return {
    name: format,
    summary: `stores activations as ${format} numbers from their last forward use to their backward use`,
    storage: "reused",
    results: `saved activations are rounded to ${format} (error at most ${errors[format]}); arithmetic stays in float32`,
    plan(context) {
      const codec = format === "8-bit" ? blockCodec : halfCodec(format);
      const saved = savedValues(context.tape).filter(({ value }) => codec.suits(value));
      // Data is read last, when all else is gone: then having it twice, short and long, may be the peak.
      const activations = saved.filter(({ made }) => made >= 0);
      const [best] = [saved, activations]
        .map((chosen) => storeSaved(context.tape, codec, chosen))
        .map((plan) => ({ ...plan, arenaBytes: context.plan(plan.graph).arenaBytes }))
        .sort((a, b) => a.arenaBytes - b.arenaBytes);
      const { graph, before, after } = best;
      return {
        graph,
        reason: `${format}: ${formatAmount(before)} of saved activations become ${formatAmount(after)}.`,
      };
    },
  };
}

/** Rewrites a graph so that saved values are stored by a codec. */
function storeSaved(
  tape: Tape,
  codec: Codec,
  saved: readonly SavedValue[],
): { readonly graph: OperatorGraph; readonly before: number; readonly after: number } {
  const { graph, root } = tape;
  const ending = new Map<number, SavedValue[]>();
  for (const one of saved) ending.set(one.lastForward, [...(ending.get(one.lastForward) ?? []), one]);
  const smaller = new Map(saved.map((one) => [one.value.id, one]));
  const heavy = heavyOperations(tape);
  const editor = new GraphEditor(graph);
  const stored = new Map<number, readonly Value[]>();
  // What has been read back is used until something heavy comes: then it would be in the way.
  let loaded = new Map<number, Value>();
  let before = 0;
  let after = 0;
  const load = (input: Value, layer: string): Value => {
    const id = root[input.id];
    const words = stored.get(id);
    if (words === undefined) return input;
    editor.enter("backward", layer);
    let full = loaded.get(id);
    if (full === undefined) loaded.set(id, (full = codec.load(editor, words)));
    return editor.apply("reshape", [full], { shape: input.type.shape });
  };
  for (const [position, operation] of graph.operations.entries()) {
    const reads = operation.inputs.some(({ id }) => smaller.get(root[id])?.readers.includes(position));
    editor.keep(operation, reads ? operation.inputs.map((input) => load(input, operation.layer)) : operation.inputs);
    if (heavy[position + 1] > heavy[position]) loaded = new Map();
    for (const { value, bytes, layer } of ending.get(position) ?? []) {
      editor.enter("forward", layer);
      const words = codec.store(editor, value);
      stored.set(value.id, words);
      before += bytes;
      after += words.reduce((sum, { type }) => sum + bytesOf(type), 0);
    }
  }
  return { graph: editor.graph(), before, after };
}

/** Two numbers in a word. */
function halfCodec(format: "float16" | "bfloat16"): Codec {
  return {
    suits: ({ type }) => type.dtype === "float32" && elementCount(type.shape) % 2 === 0,
    store: (editor, value) => [
      editor.apply("pack", [editor.apply("reshape", [value], { shape: [elementCount(value.type.shape)] })], { format }),
    ],
    load: (editor, [words]) => editor.apply("unpack", [words], { format }),
  };
}

/** Four numbers in a word, and the largest magnitude of each block beside them. */
const blockCodec: Codec = {
  suits: ({ type }) => type.dtype === "float32" && blocksOf(type.shape) !== null,
  store(editor, value) {
    const blocks = editor.apply("reshape", [value], { shape: blocksOf(value.type.shape) as Shape });
    const largest = editor.apply("max", [editor.apply("abs", [blocks])], { axes: [1] });
    return [editor.apply("quantize", [blocks, largest]), largest];
  },
  load: (editor, stored) => editor.apply("dequantize", stored),
};

/** The smallest blocks of last axes that are large enough and a multiple of four; null if there are none. */
function blocksOf(shape: Shape): Shape | null {
  let size = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    size *= shape[axis];
    if (size >= leastBlock && size % 4 === 0) return [elementCount(shape) / size, size];
  }
  return null;
}
