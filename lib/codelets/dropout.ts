import { type BlockLayout, codelet, input, output, state } from "../graph/index.ts";
import { philox } from "../tensor/index.ts";
import { type FloatType, oneWorker, vectorWidth } from "./support.ts";

/** What a codelet of random numbers knows of them when it is compiled. */
export interface UniformSettings {
  readonly layout: BlockLayout;
  readonly seed: number;
  readonly stream: number;
  /** Keeps these random numbers apart from others of the seed: the last word of the counter. */
  readonly lane: number;
}

/** What a dropout's codelet knows of it besides. */
export interface DropoutSettings extends UniformSettings {
  /** Elements are dropped whose 24 random bits are below this. */
  readonly threshold: number;
  /** What the others are multiplied by. */
  readonly factor: number;
}

/** Calls `visit` for each element of a block: its place there, and the 24 random bits of its position in the tensor. */
function forEachDraw(
  { layout, seed, stream, lane }: UniformSettings,
  block: number,
  step: number,
  visit: (place: number, bits: number) => void,
): void {
  const counter = Uint32Array.of(0, step, stream, lane);
  const words = new Uint32Array(4);
  const [keyA, keyB] = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  let place = 0;
  layout.forEachElement(block, (position) => {
    counter[0] = position;
    philox(counter, keyA, keyB, words);
    visit(place++, words[0] >>> 8);
  });
}

/**
 * Drops elements at random by their position in the whole tensor, so that every cut into blocks drops the same.
 *
 * Cycles of a worker: 30 and 4 for every two elements, or four halves, as an assumption: the device draws random bits by an instruction,
 * where we compute them, so that its values would be others and its cycles are less.
 */
export function dropout({ threshold, factor, ...numbers }: DropoutSettings, type: FloatType = "float") {
  return codelet(
    `Dropout<${numbers.stream},${type}>`,
    { in: input.vector(type), step: input("int"), out: output.vector(type), block: state() },
    ({ in: values, step, out, block }) => {
      forEachDraw(numbers, block, step, (place, bits) => {
        out[place] = bits >= threshold ? values[place] * factor : 0;
      });
    },
    ({ out }) => 30 + 4 * Math.ceil(out.length / vectorWidth[type]),
    oneWorker,
  );
}

/**
 * Random numbers from 0 to below 1 by their positions in the whole tensor, so that every cut into blocks draws the same.
 *
 * Cycles of a worker: 30 and 4 for every two elements, or four halves, as for `dropout`.
 */
export function uniform(numbers: UniformSettings, type: FloatType = "float") {
  return codelet(
    `Uniform<${numbers.stream},${type}>`,
    { step: input("int"), out: output.vector(type), block: state() },
    ({ step, out, block }) => {
      forEachDraw(numbers, block, step, (place, bits) => {
        out[place] = bits / 2 ** 24;
      });
    },
    ({ out }) => 30 + 4 * Math.ceil(out.length / vectorWidth[type]),
    oneWorker,
  );
}
