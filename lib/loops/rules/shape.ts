import { constant, integer } from "../expression.ts";
import type { LoopRule } from "./rule.ts";

/**
 * The bytes of the operand: there is nothing to compute. Elements are asked for only of constants, which are the same
 * at every position.
 */
export const reshape: LoopRule = {
  family: "view",
  same: [],
  elements: ({ operands: [x] }) => [() => x.at([])],
};

/** Axis i of the output is axis `permutation[i]` of the operand. */
export const transpose: LoopRule = {
  family: "map",
  same: [],
  elements: ({ operands: [x], attributes }) => {
    const permutation = attributes.permutation as readonly number[];
    return [
      (position) => {
        const source = [...position];
        for (const [axis, from] of permutation.entries()) source[from] = position[axis];
        return x.at(source);
      },
    ];
  },
};

/** Axis i of the operand is axis `axes[i]` of the output. */
export const broadcast: LoopRule = {
  family: "map",
  same: [],
  elements: ({ operands: [x], attributes }) => {
    const axes = attributes.axes as readonly number[];
    return [(position) => x.at(axes.map((axis) => position[axis]))];
  },
};

/** The number `value` everywhere. */
export const full: LoopRule = {
  family: "map",
  same: [],
  elements: ({ outputs: [{ dtype }], attributes }) => {
    const value = attributes.value as number;
    return [() => (dtype === "int32" ? integer(value) : constant(value))];
  },
};
