import { geluFactors } from "../../ops/index.ts";
import {
  add,
  binary,
  compare,
  constant,
  divide,
  type Expression,
  indexValue,
  multiply,
  select,
  subtract,
  unary,
} from "../expression.ts";
import { errorFunction, exponential, hyperbolicTangent, logarithm, logistic } from "../mathematics.ts";
import type { LoopRule, Operand, Position } from "./rule.ts";

/** A scalar is the same everywhere. */
function elementOf(operand: Operand, position: Position): Expression {
  return operand.at(operand.type.shape.length === 0 ? [] : position);
}

/** A function of elements at one position; scalar operands are repeated. */
function pointwise(count: number, apply: (...elements: readonly Expression[]) => Expression): LoopRule {
  return {
    family: "map",
    same: Array.from({ length: count }, (_, index) => index),
    elements: ({ operands }) => [(position) => apply(...operands.map((operand) => elementOf(operand, position)))],
  };
}

const zero = constant(0);
const one = constant(1);

export const negate = pointwise(1, (x) => unary("negate", x));
export const exp = pointwise(1, exponential);
export const log = pointwise(1, logarithm);
export const sqrt = pointwise(1, (x) => unary("squareRoot", x));
export const square = pointwise(1, (x) => multiply(x, x));
export const abs = pointwise(1, (x) => unary("absolute", x));
/** What is neither above nor below 0 is its own sign: zeros and NaN. */
export const sign = pointwise(1, (x) =>
  select(compare("less", zero, x), one, select(compare("less", x, zero), constant(-1), x)),
);
/** One instruction where `maximum` takes many: NaN stays, and −0 stays −0, which is equal to 0. */
export const relu = pointwise(1, (x) => binary("larger", x, zero));
export const sigmoid = pointwise(1, logistic);
export const tanh = pointwise(1, hyperbolicTangent);
export const softplus = pointwise(1, (x) => {
  const power = exponential(unary("negate", unary("absolute", x)));
  return add(binary("larger", x, zero), logarithm(add(one, power)));
});
export const erf = pointwise(1, errorFunction);
export const gelu = pointwise(1, (x) => {
  const { outer, cube } = geluFactors;
  const inner = multiply(multiply(x, constant(outer)), add(one, multiply(multiply(x, x), constant(cube))));
  return multiply(multiply(x, constant(0.5)), add(one, hyperbolicTangent(inner)));
});

/** x to a whole power by repeated squaring (Knuth, The Art of Computer Programming 4.6.3). */
function wholePower(x: Expression, exponent: number): Expression {
  let result = one;
  let factor = x;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = result === one ? factor : multiply(result, factor);
    if (left > 1) factor = multiply(factor, factor);
  }
  return result;
}

export const power: LoopRule = {
  family: "map",
  same: [0],
  elements: ({ operands: [operand], attributes }) => {
    const exponent = attributes.exponent as number;
    const size = Math.abs(exponent);
    return [
      (position) => {
        const x = operand.at(position);
        if (!Number.isInteger(exponent)) return exponential(multiply(logarithm(x), constant(exponent)));
        return exponent < 0 ? divide(one, wholePower(x, size)) : wholePower(x, size);
      },
    ];
  },
};

/** NaN is not below anything, and stays. */
export const flush: LoopRule = {
  family: "map",
  same: [0],
  elements: ({ operands: [x], attributes }) => [
    (position) => {
      const element = x.at(position);
      const small = compare("less", unary("absolute", element), constant(attributes.below as number));
      return select(small, zero, element);
    },
  ],
};

export const clip: LoopRule = {
  family: "map",
  same: [0],
  elements: ({ operands: [x], attributes }) => [
    (position) =>
      binary(
        "minimum",
        binary("maximum", x.at(position), constant(attributes.low as number)),
        constant(attributes.high as number),
      ),
  ],
};

export const leakyRelu: LoopRule = {
  family: "map",
  same: [0],
  elements: ({ operands: [operand], attributes }) => [
    (position) => {
      const x = operand.at(position);
      return select(compare("less", zero, x), x, multiply(x, constant(attributes.slope as number)));
    },
  ],
};

export const scale: LoopRule = {
  family: "map",
  same: [0],
  elements: ({ operands: [x], attributes }) => [
    (position) => multiply(x.at(position), constant(attributes.factor as number)),
  ],
};

export const addition = pointwise(2, add);
export const subtraction = pointwise(2, subtract);
export const multiplication = pointwise(2, multiply);
export const division = pointwise(2, divide);
export const maximum = pointwise(2, (a, b) => binary("maximum", a, b));
export const minimum = pointwise(2, (a, b) => binary("minimum", a, b));
export const greaterOrEqual = pointwise(2, (a, b) => select(compare("lessOrEqual", b, a), one, zero));
export const reluGradient = pointwise(2, (gradient, y) => select(compare("less", zero, y), gradient, zero));
export const sigmoidGradient = pointwise(2, (gradient, y) => multiply(multiply(gradient, y), subtract(one, y)));
export const tanhGradient = pointwise(2, (gradient, y) => multiply(gradient, subtract(one, multiply(y, y))));
export const copy = pointwise(1, (x) => x);

/** A function of x and of the vector's element for its place along an axis. */
function alongAxis(apply: (x: Expression, along: Expression) => Expression): LoopRule {
  return {
    family: "map",
    same: [0],
    elements: ({ operands: [x, vector], attributes }) => [
      (position) => apply(x.at(position), vector.at([position[attributes.axis as number]])),
    ],
  };
}

export const addBias = alongAxis(add);
export const scaleAlong = alongAxis(multiply);

/** 1 where the class is the row's label. */
export const oneHot: LoopRule = {
  family: "map",
  same: [],
  elements: ({ operands: [labels] }) => [
    ([row, column]) => select(compare("equal", labels.at([row]), indexValue(column)), one, zero),
  ],
};

/** g · (probabilities − 1 at the label). */
export const crossEntropyGradient: LoopRule = {
  family: "map",
  same: [1],
  elements: ({ operands: [gradient, probabilities, labels] }) => [
    (position) => {
      const [row, column] = position;
      const atLabel = select(compare("equal", labels.at([row]), indexValue(column)), one, zero);
      return multiply(gradient.at([row]), subtract(probabilities.at(position), atLabel));
    },
  ],
};
