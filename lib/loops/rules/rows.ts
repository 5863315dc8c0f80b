import { along } from "../affine.ts";
import {
  add,
  compare,
  constant,
  type Expression,
  indexValue,
  integer,
  multiply,
  reduce,
  select,
  subtract,
} from "../expression.ts";
import { exponential, logarithm } from "../mathematics.ts";
import { type LoopRule, type Operand, type Position, remember } from "./rule.ts";

/** A reduction over the last axis, for each row. */
function overRow(
  x: Operand,
  combine: "sum" | "maximum",
  element: (position: Position, row: Position) => Expression,
): (row: Position) => Expression {
  const extent = x.type.shape[x.type.shape.length - 1];
  return remember((row) => {
    const axis = { name: "c", extent };
    return reduce(combine, axis, element([...row, along(axis)], row), { interleaved: true });
  });
}

/** The logarithm of the sum of a row's exponentials, shifted by its largest element so that nothing overflows. */
function logOfSum(x: Operand): (row: Position) => Expression {
  const largest = overRow(x, "maximum", (position) => x.at(position));
  const total = overRow(x, "sum", (position, row) => exponential(subtract(x.at(position), largest(row))));
  return remember((row) => add(largest(row), logarithm(total(row))));
}

const rowOf = (position: Position): Position => position.slice(0, -1);

/** Probabilities along the last axis. */
export const softmax: LoopRule = {
  family: "rows",
  same: [],
  elements({ operands: [x] }) {
    const shift = logOfSum(x);
    return [(position) => exponential(subtract(x.at(position), shift(rowOf(position))))];
  },
};

/** Their logarithms. */
export const logSoftmax: LoopRule = {
  family: "rows",
  same: [],
  elements({ operands: [x] }) {
    const shift = logOfSum(x);
    return [(position) => subtract(x.at(position), shift(rowOf(position)))];
  },
};

/** y · (g − Σ g·y) along the last axis. */
export const softmaxGradient: LoopRule = {
  family: "rows",
  same: [],
  elements({ operands: [g, y] }) {
    const dot = overRow(g, "sum", (position) => multiply(g.at(position), y.at(position)));
    return [(position) => multiply(y.at(position), subtract(g.at(position), dot(rowOf(position))))];
  },
};

/** Losses and probabilities; a label outside the classes has no probability, so its loss is NaN. */
export const crossEntropy: LoopRule = {
  family: "rows",
  same: [],
  elements({ operands: [logits, labels] }) {
    const classes = logits.type.shape[1];
    const shift = logOfSum(logits);
    const atLabel = overRow(logits, "sum", (position, row) => {
      const chosen = compare("equal", labels.at(row), indexValue(position[position.length - 1]));
      return select(chosen, logits.at(position), constant(0));
    });
    const loss = (row: Position): Expression => {
      const label = labels.at(row);
      const known = select(compare("less", label, integer(classes)), atLabel(row), constant(Number.NaN));
      const logit = select(compare("less", label, integer(0)), constant(Number.NaN), known);
      return subtract(shift(row), logit);
    };
    return [remember(loss), (position) => exponential(subtract(logits.at(position), shift(rowOf(position))))];
  },
};
