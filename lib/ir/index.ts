// The operator graph lives here: values, operations, the builder, the text form and its parser, the verifier, and
// reverse-mode differentiation. What single operators mean does not: each declares itself in ops/.
// Go next to ops/ for the operators, or to compiler/ for what is done to graphs.
export { type AttributeKind, type AttributeSchema, type AttributesOf, completeAttributes } from "./attributes.ts";
export { gradients } from "./autodiff.ts";
export { GraphBuilder } from "./builder.ts";
export type {
  Attribute,
  Attributes,
  GraphInput,
  GraphOutput,
  InputRole,
  Operation,
  OperatorGraph,
  Phase,
  Value,
} from "./graph.ts";
export { inferOutputTypes } from "./infer.ts";
export {
  type Constraint,
  ConstraintError,
  type Cost,
  defineOperator,
  type GradientContext,
  type OperationWriter,
  type Operator,
  type OperatorTable,
  type Require,
} from "./operator.ts";
export { parseGraph } from "./parse.ts";
export { printGraph } from "./print.ts";
export { verify } from "./verify.ts";
