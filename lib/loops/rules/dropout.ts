import { dropoutLane, dropThreshold, uniformLane } from "../../ops/index.ts";
import type { Shape } from "../../tensor/index.ts";
import {
  add,
  binary,
  compare,
  constant,
  type Expression,
  indexValue,
  integer,
  multiply,
  select,
  unary,
} from "../expression.ts";
import { philoxWord } from "../random.ts";
import { flatIndex, type LoopRule, type Position } from "./rule.ts";

/** The upper 24 bits of a position's random word, without the sign that the shift repeats. */
function randomBits(shape: Shape, position: Position, step: Expression, stream: number, lane: number, seed: number) {
  const place = indexValue(flatIndex(shape, position));
  const word = philoxWord([place, step, integer(stream), integer(lane)], seed);
  return binary("and", binary("shiftRight", word, integer(8)), integer(0xffffff));
}

/** x times a constant where the random word of its position and step is at least the threshold. */
export const dropout: LoopRule = {
  family: "map",
  same: [0],
  elements({ operands: [x, step], attributes }) {
    const { rate, seed, stream } = attributes as { rate: number; seed: number; stream: number };
    return [
      (position) => {
        const bits = randomBits(x.type.shape, position, step.at([]), stream, dropoutLane, seed);
        const kept = compare("lessOrEqual", integer(dropThreshold(rate)), bits);
        return select(kept, multiply(x.at(position), constant(1 / (1 - rate))), constant(0));
      },
    ];
  },
};

/** Random bits as numbers from 0 to below 1. */
export const uniform: LoopRule = {
  family: "map",
  same: [],
  elements({ operands: [step], outputs: [{ shape }], attributes }) {
    const { seed, stream } = attributes as unknown as { seed: number; stream: number };
    return [
      (position) => {
        const bits = randomBits(shape, position, step.at([]), stream, uniformLane, seed);
        return multiply(unary("toFloat", bits), constant(2 ** -24));
      },
    ];
  },
};

/** x + 1. */
export const increment: LoopRule = {
  family: "map",
  same: [0],
  elements: ({ operands: [x] }) => [(position) => add(x.at(position), integer(1))],
};
