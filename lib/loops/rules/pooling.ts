import { noIndex, type Window } from "../../ops/index.ts";
import { elementCount } from "../../tensor/index.ts";
import { at, plus, times } from "../affine.ts";
import { compare, constant, type Expression, indexValue, integer, multiply, select } from "../expression.ts";
import { type LoopRule, type Position, type RuleInput, remember } from "./rule.ts";
import { inTurnedWindow, inWindow, padded, reduceOver, spread } from "./window.ts";

function windowOf({ attributes }: RuleInput): Window {
  return {
    kernel: attributes.kernel as readonly number[],
    stride: attributes.stride as readonly number[],
    padding: attributes.padding as readonly number[],
    dilation: [1, 1],
  };
}

const placesOf = ({ kernel }: Window): Readonly<Record<string, number>> => ({ kh: kernel[0], kw: kernel[1] });

/** The largest element, and the smallest index at which it stands. */
export const maxPool2d: LoopRule = {
  family: "reduce",
  same: [],
  copies: (input) => padded(0, input.operands[0], windowOf(input), Number.NEGATIVE_INFINITY),
  elements(input) {
    const [x] = input.operands;
    const window = windowOf(input);
    const { padding } = window;
    // With a margin the operand is a copy that is wider than the pictures.
    const width = x.type.shape[3] - 2 * padding[1];
    const largest = remember(([sample, channel, ...place]) =>
      reduceOver("maximum", placesOf(window), (inKernel) =>
        x.at([sample, channel, ...inWindow(place, inKernel, window)]),
      ),
    );
    const index = (position: Position): Expression => {
      const [sample, channel, ...place] = position;
      const value = largest(position);
      const found = reduceOver("smaller", placesOf(window), (inKernel) => {
        const [row, column] = inWindow(place, inKernel, window);
        const inPlane = plus(times(row, width), column, at(-padding[0] * width - padding[1]));
        const here = compare("equal", x.at([sample, channel, row, column]), value);
        return select(here, indexValue(inPlane), integer(noIndex));
      });
      return select(compare("less", constant(Number.NEGATIVE_INFINITY), value), found, integer(noIndex));
    };
    return [largest, remember(index)];
  },
};

/** For each element of the pictures the sum over the windows that hold it, of those whose index it is. */
export const maxPool2dGradient: LoopRule = {
  family: "reduce",
  same: [],
  copies(input) {
    const size = input.attributes.size as readonly number[];
    const window = windowOf(input);
    const [g, index] = input.operands;
    return [...spread(0, g, size, window, 0), ...spread(1, index, size, window, noIndex)];
  },
  elements(input) {
    const [g, index] = input.operands;
    const [, width] = input.attributes.size as readonly number[];
    const window = windowOf(input);
    const element = ([sample, channel, row, column]: Position): Expression => {
      const own = indexValue(plus(times(row, width), column));
      return reduceOver("sum", placesOf(window), (inKernel) => {
        const place = [sample, channel, ...inTurnedWindow([row, column], inKernel, window)];
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
      return reduceOver("sum", placesOf(window), (inKernel) => {
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
      const total = reduceOver("sum", placesOf(window), (inKernel) =>
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
  copies: (input) => spread(0, input.operands[0], input.attributes.size as readonly number[], windowOf(input), 0),
  elements(input) {
    const [g] = input.operands;
    const window = windowOf(input);
    const element = ([sample, channel, ...place]: Position): Expression => {
      const total = reduceOver("sum", placesOf(window), (inKernel) =>
        g.at([sample, channel, ...inTurnedWindow(place, inKernel, window)]),
      );
      return multiply(total, constant(1 / elementCount(window.kernel)));
    };
    return [remember(element)];
  },
};
