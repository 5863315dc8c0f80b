import { type BlockLayout, codelet, input, output, state } from "../graph/index.ts";
import { philox } from "../tensor/index.ts";
import { type FloatType, oneWorker, vectorWidth } from "./support.ts";

/** What a dropout's codelet knows of it when it is compiled. */
export interface DropoutSettings {
  readonly layout: BlockLayout;
  readonly seed: number;
  readonly stream: number;
  /** Keeps these random numbers apart from others of the seed: the last word of the counter. */
  readonly lane: number;
  /** Elements are dropped whose 24 random bits are below this. */
  readonly threshold: number;
  /** What the others are multiplied by. */
  readonly factor: number;
}

/**
 * Drops elements at random by their position in the whole tensor, so that every cut into blocks drops the same.
 *
 * Cycles of a worker: 30 and 4 for every two elements, or four halves, as an assumption: the device draws random bits by an instruction,
 * where we compute them, so that its values would be others and its cycles are less.
 */
export function dropout({ layout, seed, stream, lane, threshold, factor }: DropoutSettings, type: FloatType = "float") {
  return codelet(
    `Dropout<${stream},${type}>`,
    { in: input.vector(type), step: input("int"), out: output.vector(type), block: state() },
    ({ in: values, step, out, block }) => {
      const counter = Uint32Array.of(0, step, stream, lane);
      const words = new Uint32Array(4);
      const [keyA, keyB] = [seed >>> 0, Math.floor(seed / 2 ** 32)];
      let next = 0;
      layout.forEachElement(block, (position) => {
        counter[0] = position;
        philox(counter, keyA, keyB, words);
        out[next] = words[0] >>> 8 >= threshold ? values[next] * factor : 0;
        next++;
      });
    },
    ({ out }) => 30 + 4 * Math.ceil(out.length / vectorWidth[type]),
    oneWorker,
  );
}

/** What a codelet of random numbers knows of them when it is compiled. */
export type UniformSettings = Pick<DropoutSettings, "layout" | "seed" | "stream" | "lane">;

/**
 * Random numbers from 0 to below 1 by their positions in the whole tensor, so that every cut into blocks draws the same.
 *
 * Cycles of a worker: 30 and 4 for every two elements, or four halves, as for `dropout`.
 */
export function uniform({ layout, seed, stream, lane }: UniformSettings, type: FloatType = "float") {
  return codelet(
    `Uniform<${stream},${type}>`,
    { step: input("int"), out: output.vector(type), block: state() },
    ({ step, out, block }) => {
      const counter = Uint32Array.of(0, step, stream, lane);
      const words = new Uint32Array(4);
      const [keyA, keyB] = [seed >>> 0, Math.floor(seed / 2 ** 32)];
      let next = 0;
      layout.forEachElement(block, (position) => {
        counter[0] = position;
        philox(counter, keyA, keyB, words);
        out[next++] = (words[0] >>> 8) / 2 ** 24;
      });
    },
    ({ out }) => 30 + 4 * Math.ceil(out.length / vectorWidth[type]),
    oneWorker,
  );
}
