import { defineOperator, type Require } from "../ir/index.ts";
import { bytesOf, elementCount, formatType, formatTypes, type TensorType } from "../tensor/index.ts";

/** Whole numbers from −127 to 127 stand for numbers from −largest to largest. */
export const quantizeLevels = 127;

const numbersPerWord = 4;

/** The nearest whole number, ties to even. */
function nearest(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function requireBlocks(inputs: readonly TensorType[], dtypes: readonly string[], require: Require): void {
  const [x, largest] = inputs;
  const matches = inputs.length === 2 && x.shape.length === 2 && largest.shape.length === 1;
  const holds = matches && dtypes.includes(x.dtype) && largest.dtype !== "int32" && x.shape[0] === largest.shape[0];
  require(holds, "C1", () => formatTypes(inputs));
}

/**
 * Numbers as 8 bits each, four in a word, blocks with a scale of their own: x · 127 / largest rounded to a whole number,
 * ties to even, all in float32 arithmetic. Word i of a block holds element i and those a quarter, a half and three
 * quarters of the block behind it. A block with NaN or an infinity comes back as NaN.
 */
export const quantize = defineOperator({
  name: "quantize",
  summary: "x [blocks, n] as whole numbers from −127 to 127 relative to the block's `largest` [blocks], four in a word",
  constraints: {
    C1: {
      rule: "there must be blocks [b,n] and the largest magnitude [b] of each",
      remedy: "take max of abs over axis 1",
    },
    C2: { rule: "a block must have a multiple of 4 elements", remedy: "cut it otherwise" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    requireBlocks(inputs, ["float32", "float64"], require);
    const [{ shape }] = inputs;
    require(shape[1] % numbersPerWord === 0, "C2", () => formatType(inputs[0]));
    return [{ dtype: "int32", shape: [shape[0], shape[1] / numbersPerWord] }];
  },
  compute([x, largest], [y]) {
    const [blocks, words] = y.shape;
    for (let block = 0; block < blocks; block++) {
      const factor = Math.fround(quantizeLevels / Math.fround(largest.data[block]));
      for (let i = 0; i < words; i++) {
        let word = 0;
        for (let part = 0; part < numbersPerWord; part++) {
          const number = x.data[(block * numbersPerWord + part) * words + i];
          // NaN becomes 0 as an integer; the block's scale is NaN then, and what comes back is, too.
          word |= (nearest(Math.fround(Math.fround(number) * factor)) & 0xff) << (8 * part);
        }
        y.data[block * words + i] = word;
      }
    }
  },
  gradient: null,
  cost: ([x, largest], [y]) => ({
    flops: 2 * elementCount(x.shape) + elementCount(largest.shape),
    bytes: bytesOf(x) + bytesOf(largest) + bytesOf(y),
  }),
  inPlace: [],
});

/** What `quantize` has rounded, as numbers again: within largest / 254 of what they were. */
export const dequantize = defineOperator({
  name: "dequantize",
  summary: "the numbers [blocks, n] that `quantize` has put into words [blocks, n / 4] relative to `largest` [blocks]",
  constraints: {
    C1: { rule: "there must be words [b,n] and a float [b] for each block", remedy: "give what quantize makes" },
  },
  attributes: {},
  inferTypes(inputs, _, require) {
    requireBlocks(inputs, ["int32"], require);
    const [{ shape }, { dtype }] = inputs;
    return [{ dtype, shape: [shape[0], shape[1] * numbersPerWord] }];
  },
  compute([x, largest], [y]) {
    const [blocks, words] = x.shape;
    for (let block = 0; block < blocks; block++) {
      const unit = Math.fround(Math.fround(largest.data[block]) / quantizeLevels);
      for (let i = 0; i < words; i++) {
        const word = x.data[block * words + i];
        for (let part = 0; part < numbersPerWord; part++) {
          const number = (word << (24 - 8 * part)) >> 24;
          y.data[(block * numbersPerWord + part) * words + i] = Math.fround(number * unit);
        }
      }
    }
  },
  gradient: null,
  cost: ([x, largest], [y]) => ({
    flops: elementCount(y.shape) + elementCount(largest.shape),
    bytes: bytesOf(x) + bytesOf(largest) + bytesOf(y),
  }),
  inPlace: [],
});
