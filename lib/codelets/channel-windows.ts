import { codelet, input, output, type ReadonlyVector, state } from "../graph/index.ts";
import { type FloatType, oneWorker, vectorWidth } from "./support.ts";

// Windows over neighbouring channels: `in` are the blocks [outer, channels, inner] in which the channels around those of
// `out` lie, one after the other, from channel `firstChannel` on; `channel` is the first of `out`.
const fields = { outer: state(), inner: state(), channel: state(), firstChannel: state() };

interface Given {
  readonly outer: number;
  readonly inner: number;
  readonly channel: number;
  readonly firstChannel: number;
}

/** What a codelet makes of the window around an element. */
interface WindowFunction {
  /** What is summed up of each element of the window. */
  term(value: number): number;
  /** What the element itself becomes. */
  result(own: number, sum: number): number;
}

/** A codelet that makes each element of `out` from the `size` channels around it. */
function overWindows(name: string, size: number, besides: number, type: FloatType, { term, result }: WindowFunction) {
  return codelet(
    name,
    { in: input.vectors(type), out: output.vector(type), ...fields },
    ({ in: blocks, out, ...given }) => {
      forEachWindow(blocks, out.length, size, given, term, (place, own, sum) => {
        out[place] = result(own, sum);
      });
    },
    ({ out }) => cycles(out.length, size, besides, type),
    oneWorker,
  );
}

/** Calls `visit` for each of `count` elements with its own value and with the sum of `term` over its window. */
function forEachWindow(
  blocks: readonly ReadonlyVector[],
  count: number,
  size: number,
  { outer, inner, channel, firstChannel }: Given,
  term: (value: number) => number,
  visit: (place: number, own: number, sum: number) => void,
): void {
  const reach = (size - 1) / 2;
  const channels = count / outer / inner;
  // For every channel that is there, its block and its place in it.
  const places: (readonly [block: ReadonlyVector, channels: number, index: number])[] = [];
  for (const block of blocks) {
    const own = block.length / outer / inner;
    for (let index = 0; index < own; index++) places.push([block, own, index]);
  }
  const valueAt = (o: number, other: number, i: number): number => {
    const [block, own, index] = places[other - firstChannel];
    return block[(o * own + index) * inner + i];
  };
  let place = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = channel; c < channel + channels; c++) {
      const [low, high] = [Math.max(firstChannel, c - reach), Math.min(firstChannel + places.length - 1, c + reach)];
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let other = low; other <= high; other++) sum += term(valueAt(o, other, i));
        visit(place++, valueAt(o, c, i), sum);
      }
    }
  }
}

// An assumption: two cycles a vector for each channel of the window, and what is done with the sum besides.
const cycles = (count: number, size: number, besides: number, type: FloatType): number =>
  30 + (2 * size + besides) * Math.ceil(count / vectorWidth[type]);

/** Sums over `size` neighbouring channels. Cycles of a worker: 30 and 2 · size + 2 for every two floats or four halves. */
export function channelWindowSum(size: number, type: FloatType = "float") {
  return overWindows(`ChannelWindowSum<${size},${type}>`, size, 2, type, {
    term: (value) => value,
    result: (_own, sum) => sum,
  });
}

/** How an element is divided by what lies around it. */
export interface ResponseNorm {
  readonly size: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

/**
 * Each element over (bias + alpha · Σ x² over `size` neighbouring channels) to the power beta.
 * Cycles of a worker: 30 and 2 · size + 30 for every two floats or four halves: a logarithm, an exponential, a division.
 */
export function localResponseNorm({ size, bias, alpha, beta }: ResponseNorm, type: FloatType = "float") {
  return overWindows(`LocalResponseNorm<${size},${bias},${alpha},${beta},${type}>`, size, 30, type, {
    term: (value) => value ** 2,
    result: (own, energy) => own / (bias + alpha * energy) ** beta,
  });
}
