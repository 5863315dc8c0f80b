import { dropoutLane, dropThreshold } from "../../ops/index.ts";
import { add, binary, compare, constant, indexValue, integer, multiply, select } from "../expression.ts";
import { philoxWord } from "../random.ts";
import { flatIndex, type LoopRule } from "./rule.ts";

/** x times a constant where the random word of its position and step is at least the threshold. */
export const dropout: LoopRule = {
  family: "map",
  same: [0],
  elements({ operands: [x, step], attributes }) {
    const { rate, seed, stream } = attributes as { rate: number; seed: number; stream: number };
    return [
      (position) => {
        const place = indexValue(flatIndex(x.type.shape, position));
        const word = philoxWord([place, step.at([]), integer(stream), integer(dropoutLane)], seed);
        // The upper 24 bits, without the sign that the shift repeats.
        const bits = binary("and", binary("shiftRight", word, integer(8)), integer(0xffffff));
        const kept = compare("lessOrEqual", integer(dropThreshold(rate)), bits);
        return select(kept, multiply(x.at(position), constant(1 / (1 - rate))), constant(0));
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
