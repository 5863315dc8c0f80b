import type { Value } from "../../../ir/index.ts";
import type { NodeContext } from "../node-context.ts";

/** A truth value, or a whole number, as floats. */
export function asFloats(node: NodeContext, value: Value): Value {
  return value.type.dtype === "int32" ? node.apply("cast", [value], { dtype: node.dtype }) : value;
}
