import type { Value } from "../../ir/index.ts";
import type { Shape } from "../../tensor/index.ts";
import type { Constant } from "./constant.ts";

/** What flows between nodes: a value of the graph, or a tensor known already, such as a weight or a shape. */
export type Operand =
  | { readonly kind: "value"; readonly value: Value }
  | {
      readonly kind: "constant";
      readonly constant: Constant;
      /** The initializer's name in the file; null for what was computed or written into a node. */
      readonly initializer: string | null;
    };

export function valueOperand(value: Value): Operand {
  return { kind: "value", value };
}

export function constantOperand(constant: Constant, initializer: string | null = null): Operand {
  return { kind: "constant", constant, initializer };
}

/** The extents of an operand, whichever kind it is. */
export function shapeOf(operand: Operand): Shape {
  return operand.kind === "value" ? operand.value.type.shape : operand.constant.shape;
}
