import { at, plus } from "../affine.ts";
import { add, constant, divide, type Expression, multiply } from "../expression.ts";
import { exponential, logarithm } from "../mathematics.ts";
import { type Copy, type LoopRule, type Operand, type Position, type RuleInput, remember } from "./rule.ts";
import { filled, moved } from "./shape.ts";
import { reduceOver } from "./window.ts";

const sizeOf = ({ attributes }: RuleInput): number => attributes.size as number;
const reachOf = (input: RuleInput): number => (sizeOf(input) - 1) / 2;

/** The operand with as many channels of zeros at both ends as windows reach beyond. */
function withMargin(input: RuleInput): readonly Copy[] {
  const [{ type, at: elementAt }] = input.operands;
  const reach = reachOf(input);
  if (reach === 0) return [];
  const shape = type.shape.map((extent, axis) => (axis === 1 ? extent + 2 * reach : extent));
  const start = type.shape.map((_, axis) => (axis === 1 ? reach : 0));
  const inside = { place: (position: Position) => moved(position, start), element: elementAt };
  return [
    {
      operand: 0,
      type: { shape, dtype: "float32" },
      pieces: [filled(shape, constant(0)), { shape: type.shape, stores: [inside] }],
    },
  ];
}

/** The sum over a window of a function of its elements. */
function sumAround(input: RuleInput, term: (x: Expression) => Expression): (position: Position) => Expression {
  const [x] = input.operands;
  return ([sample, channel, ...rest]) =>
    reduceOver("sum", [sizeOf(input)], ([step]) => term(x.at([sample, plus(channel, step), ...rest])));
}

/** The element itself, behind the margin. */
const ownElement = (x: Operand, reach: number, [sample, channel, ...rest]: Position): Expression =>
  x.at([sample, plus(channel, at(reach)), ...rest]);

/** The sum over the channels around each. */
export const channelWindowSum: LoopRule = {
  family: "reduce",
  same: [],
  copies: withMargin,
  elements: (input) => [remember(sumAround(input, (x) => x))],
};

/** x over a power, by way of the logarithm, of what lies around it. */
export const localResponseNorm: LoopRule = {
  family: "reduce",
  same: [],
  copies: withMargin,
  elements(input) {
    const { bias, alpha, beta } = input.attributes as { bias: number; alpha: number; beta: number };
    const energy = sumAround(input, (x) => multiply(x, x));
    const element = (position: Position): Expression => {
      const base = add(constant(bias), multiply(energy(position), constant(alpha)));
      const power = exponential(multiply(logarithm(base), constant(beta)));
      return divide(ownElement(input.operands[0], reachOf(input), position), power);
    };
    return [remember(element)];
  },
};
