import { noIndex, type Window } from "../../ops/index.ts";
import { elementCount } from "../../tensor/index.ts";
import { at, plus, times } from "../affine.ts";
import { binary, compare, constant, type Expression, indexValue, integer, multiply, select } from "../expression.ts";
import { type LoopRule, type Position, type Range, type RuleInput, remember } from "./rule.ts";
import {
  inWindow,
  isUnrolled,
  margined,
  padded,
  phases,
  placesIn,
  reduceOver,
  sumOverWindow,
  turnedWindow,
  whole,
} from "./window.ts";

function windowOf({ attributes }: RuleInput): Window {
  return {
    kernel: attributes.kernel as readonly number[],
    stride: attributes.stride as readonly number[],
    padding: attributes.padding as readonly number[],
    dilation: [1, 1],
  };
}

const sizeOf = ({ attributes }: RuleInput): readonly number[] => attributes.size as readonly number[];

/** Elements of pictures that lie a stride apart meet the same elements of windows. */
function rangesOf({ outputs, attributes }: RuleInput): readonly (readonly Range[])[] {
  const [samples, channels, rows, columns] = outputs[0].shape;
  const [down, right] = attributes.stride as readonly number[];
  return [[whole(samples)], [whole(channels)], phases(rows, down), phases(columns, right)];
}

/** An element of a window, and how far from the window's first one it stands. */
interface Candidate {
  readonly value: Expression;
  readonly place: Expression;
}

/**
 * The largest of a small window's elements, and where it first stands: neighbours meet in pairs, and winners do, so that
 * no comparison waits for many others. The place means nothing where an element is NaN or all are −∞.
 */
function largestOf(elements: readonly Candidate[]): Candidate {
  let round = elements;
  while (round.length > 1) {
    const pairs = Array.from({ length: Math.ceil(round.length / 2) }, (_, pair) => round.slice(2 * pair, 2 * pair + 2));
    round = pairs.map(([left, right]) => {
      if (right === undefined) return left;
      const place = select(compare("less", left.value, right.value), right.place, left.place);
      return { value: binary("larger", left.value, right.value), place };
    });
  }
  const [{ value, place }] = round;
  // A NaN that stands on the left of all its comparisons stays by itself; the first element always does.
  const [first, ...others] = elements.slice(1).map((element) => compare("notEqual", element.value, element.value));
  if (first === undefined) return { value, place };
  const anyNaN = others.reduce((found, other) => binary("or", found, other), first);
  return { value: select(anyNaN, constant(Number.NaN), value), place };
}

/** The largest element, and the smallest index at which it stands. */
export const maxPool2d: LoopRule = {
  family: "reduce",
  same: [],
  copies: (input) => padded(0, input.operands[0], windowOf(input), Number.NEGATIVE_INFINITY),
  elements(input) {
    const [x] = input.operands;
    const window = windowOf(input);
    const { kernel, padding } = window;
    // With a margin the operand is a copy that is wider than the pictures.
    const width = x.type.shape[3] - 2 * padding[1];
    const fromFirst = ([row, column]: Position): Expression => indexValue(plus(times(row, width), column));
    const largest = remember(([sample, channel, ...place]): Candidate => {
      const element = (inKernel: Position): Expression => x.at([sample, channel, ...inWindow(place, inKernel, window)]);
      if (isUnrolled(kernel)) {
        return largestOf(
          placesIn(kernel).map((inKernel) => ({ value: element(inKernel), place: fromFirst(inKernel) })),
        );
      }
      const value = reduceOver("maximum", kernel, element);
      const found = reduceOver("smaller", kernel, (inKernel) =>
        select(compare("equal", element(inKernel), value), fromFirst(inKernel), integer(noIndex)),
      );
      return { value, place: found };
    });
    const index = (position: Position): Expression => {
      const [, , ...place] = position;
      const { value, place: found } = largest(position);
      const [top, left] = inWindow(place, [at(0), at(0)], window);
      const first = plus(times(top, width), left, at(-padding[0] * width - padding[1]));
      const inPlane = binary("add", indexValue(first), found);
      return select(compare("less", constant(Number.NEGATIVE_INFINITY), value), inPlane, integer(noIndex));
    };
    return [(position) => largest(position).value, remember(index)];
  },
};

/** For each element of the pictures the sum over the windows that hold it, of those whose index it is. */
export const maxPool2dGradient: LoopRule = {
  family: "reduce",
  same: [],
  copies(input) {
    const window = windowOf(input);
    const [g, index] = input.operands;
    return [...margined(0, g, sizeOf(input), window, 0), ...margined(1, index, sizeOf(input), window, noIndex)];
  },
  ranges: rangesOf,
  elements(input) {
    const [g, index] = input.operands;
    const size = sizeOf(input);
    const window = windowOf(input);
    const element = ([sample, channel, row, column]: Position): Expression => {
      const own = indexValue(plus(times(row, size[1]), column));
      const { extents, inMaps } = turnedWindow([row, column], size, window);
      return sumOverWindow(extents, (met) => {
        const place = [sample, channel, ...inMaps(met)];
        return select(compare("equal", index.at(place), own), g.at(place), constant(0));
      });
    };
    return [remember(element)];
  },
};

/** The element of each window that has its index. */
export const maxPool2dTake: LoopRule = {
  family: "reduce",
  same: [],
  copies: (input) => padded(0, input.operands[0], windowOf(input), 0),
  elements(input) {
    const [x, index] = input.operands;
    const window = windowOf(input);
    const { padding } = window;
    const width = x.type.shape[3] - 2 * padding[1];
    const element = (position: Position): Expression => {
      const [sample, channel, ...place] = position;
      const wanted = index.at(position);
      return sumOverWindow(window.kernel, (inKernel) => {
        const [row, column] = inWindow(place, inKernel, window);
        const inPlane = plus(times(row, width), column, at(-padding[0] * width - padding[1]));
        const here = compare("equal", wanted, indexValue(inPlane));
        return select(here, x.at([sample, channel, row, column]), constant(0));
      });
    };
    return [remember(element)];
  },
};

/** The sum over each window, times its share. */
export const averagePool2d: LoopRule = {
  family: "reduce",
  same: [],
  copies: (input) => padded(0, input.operands[0], windowOf(input), 0),
  elements(input) {
    const [x] = input.operands;
    const window = windowOf(input);
    const element = ([sample, channel, ...place]: Position): Expression => {
      const total = sumOverWindow(window.kernel, (inKernel) =>
        x.at([sample, channel, ...inWindow(place, inKernel, window)]),
      );
      return multiply(total, constant(1 / elementCount(window.kernel)));
    };
    return [remember(element)];
  },
};

/** For each element of the pictures its share of all windows that hold it. */
export const averagePool2dGradient: LoopRule = {
  family: "reduce",
  same: [],
  copies: (input) => margined(0, input.operands[0], sizeOf(input), windowOf(input), 0),
  ranges: rangesOf,
  elements(input) {
    const [g] = input.operands;
    const window = windowOf(input);
    const element = ([sample, channel, ...place]: Position): Expression => {
      const { extents, inMaps } = turnedWindow(place, sizeOf(input), window);
      const total = sumOverWindow(extents, (met) => g.at([sample, channel, ...inMaps(met)]));
      return multiply(total, constant(1 / elementCount(window.kernel)));
    };
    return [remember(element)];
  },
};
