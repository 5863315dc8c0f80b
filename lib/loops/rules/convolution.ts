import type { Window } from "../../ops/index.ts";
import { type Affine, divided, plus, times } from "../affine.ts";
import { type Expression, multiply } from "../expression.ts";
import { type LoopRule, type Position, type RuleInput, remember } from "./rule.ts";
import { inWindow, margined, padded, phases, reduceOver, rowRanges, turned, turnedWindow, whole } from "./window.ts";

function windowOf({ attributes }: RuleInput, kernel: readonly number[]): Window {
  return {
    kernel,
    stride: attributes.stride as readonly number[],
    padding: attributes.padding as readonly number[],
    dilation: attributes.dilation as readonly number[],
  };
}

const sizeOf = ({ attributes }: RuleInput): readonly number[] => attributes.size as readonly number[];

const groupsOf = ({ attributes }: RuleInput): number => attributes.groups as number;

/**
 * Which group a channel belongs to. The loops go over groups and within them, so that a channel is `perGroup` times the
 * group plus its place there.
 */
function groupOf(channel: Affine, perGroup: number): Affine {
  const terms = channel.terms.filter(({ stride }) => stride % perGroup === 0);
  return divided({ constant: 0, terms }, perGroup);
}

/** A channel of a group by its place there. */
const inGroup = (group: Affine, perGroup: number, within: Affine): Affine => plus(times(group, perGroup), within);

/** Sums of products may be rounded once instead of twice. */
const sum = (extents: readonly number[], body: (position: Position) => Expression, interleaved = false): Expression =>
  reduceOver("sum", extents, body, { contracted: true, interleaved });

/** Maps: for each filter the sum over its channels and the kernel. */
export const convolution2d: LoopRule = {
  family: "reduce",
  same: [],
  copies: (input) => padded(0, input.operands[0], windowOf(input, input.operands[1].type.shape.slice(2)), 0),
  cut: (input) => ({ axis: 1, parts: groupsOf(input) }),
  elements(input) {
    const [x, w] = input.operands;
    const [filters, channels, ...kernel] = w.type.shape;
    const window = windowOf(input, kernel);
    const element = ([sample, filter, ...place]: Position): Expression => {
      const group = groupOf(filter, filters / groupsOf(input));
      return sum([channels, ...kernel], ([channel, ...inKernel]) => {
        const picture = x.at([sample, inGroup(group, channels, channel), ...inWindow(place, inKernel, window)]);
        return multiply(picture, w.at([filter, channel, ...inKernel]));
      });
    };
    return [remember(element)];
  },
};

/** Pictures: for each channel the sum over its group's filters and the kernel, which is turned round. */
export const convolution2dInputGradient: LoopRule = {
  family: "reduce",
  same: [],
  copies(input) {
    const [maps, w] = input.operands;
    const window = windowOf(input, w.type.shape.slice(2));
    return [...margined(0, maps, sizeOf(input), window, 0), ...turned(1, w)];
  },
  cut: (input) => ({ axis: 1, parts: groupsOf(input) }),
  ranges(input) {
    const [samples, channels, ...size] = input.outputs[0].shape;
    const window = windowOf(input, input.operands[1].type.shape.slice(2));
    return [[whole(samples)], [whole(channels)], rowRanges(size, window), phases(size[1], window.stride[1])];
  },
  elements(input) {
    const [maps, w] = input.operands;
    const [channels, filters, ...kernel] = w.type.shape;
    const perGroup = filters / groupsOf(input);
    const window = windowOf(input, kernel);
    const element = ([sample, channel, ...place]: Position): Expression => {
      const group = groupOf(channel, channels);
      const within = plus(channel, times(group, -channels));
      const { extents, inKernel, inMaps } = turnedWindow(place, sizeOf(input), window);
      return sum([perGroup, ...extents], ([inFilters, ...met]) => {
        const filter = inGroup(group, perGroup, inFilters);
        return multiply(maps.at([sample, filter, ...inMaps(met)]), w.at([within, filter, ...inKernel(met)]));
      });
    };
    return [remember(element)];
  },
};

/** Filters: for each weight the sum over samples and windows. */
export const convolution2dWeightGradient: LoopRule = {
  family: "reduce",
  same: [],
  copies: (input) => padded(0, input.operands[0], windowOf(input, input.attributes.kernel as readonly number[]), 0),
  cut: (input) => ({ axis: 0, parts: groupsOf(input) }),
  elements(input) {
    const [x, maps] = input.operands;
    const [samples, filters, rows, columns] = maps.type.shape;
    const [{ shape }] = input.outputs;
    const window = windowOf(input, shape.slice(2));
    const element = ([filter, channel, ...inKernel]: Position): Expression => {
      const group = groupOf(filter, filters / groupsOf(input));
      const product = ([sample, ...place]: Position): Expression => {
        const picture = x.at([sample, inGroup(group, shape[1], channel), ...inWindow(place, inKernel, window)]);
        return multiply(picture, maps.at([sample, filter, ...place]));
      };
      return sum([samples, rows, columns], product, true);
    };
    return [remember(element)];
  },
};
