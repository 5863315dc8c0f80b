import type { HostTensor, TensorType } from "../tensor/index.ts";
import type { AttributeSchema, AttributesOf } from "./attributes.ts";
import type { Attributes, Value } from "./graph.ts";

/** What an operation costs on any machine: arithmetic, and bytes read and written once each. */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

/** A numbered constraint on an operator's inputs and attributes: what must hold, and what to do where it does not. */
export interface Constraint {
  readonly rule: string;
  readonly remedy: string;
}

/** Fails with the constraint's text unless `holds`; `got` says what there was instead. */
export type Require = (holds: boolean, constraint: string, got: () => string) => void;

/** Adds operations to a graph: what operators see of its builder. */
export interface OperationWriter {
  /** Applies an operator that has one output. */
  apply(operator: string, inputs: readonly Value[], attributes?: Attributes): Value;
  /** Applies an operator and returns all of its outputs. */
  applyAll(operator: string, inputs: readonly Value[], attributes?: Attributes): readonly Value[];
}

/** What a gradient rule may use. */
export interface GradientContext<A extends Attributes = Attributes> {
  /** Adds operations to the graph that is being differentiated. */
  readonly builder: OperationWriter;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: A;
  /** The gradient of the loss with respect to each output; null where nothing depends on that output. */
  readonly outputGradients: readonly (Value | null)[];
  /** Whether the gradient of each input is wanted; the rule may return null for the others. */
  readonly wanted: readonly boolean[];
}

/** Everything that is known of an operator: one declaration, from which graph, engines and pictures draw. */
export interface Operator<Name extends string = string, A extends Attributes = Attributes> {
  readonly name: Name;
  /** One sentence: what the outputs are. */
  readonly summary: string;
  /** Constraints by number: `C1`, `C2` … */
  readonly constraints: Readonly<Record<string, Constraint>>;
  readonly attributes: AttributeSchema;
  /** Types of the outputs. Breaking a constraint is an error by way of `require`. */
  inferTypes(inputs: readonly TensorType[], attributes: A, require: Require): readonly TensorType[];
  /** The meaning: fills the outputs, element by element, in plain TypeScript. Outputs may hold anything before. */
  compute(inputs: readonly HostTensor[], outputs: readonly HostTensor[], attributes: A): void;
  /** Gradients with respect to the inputs, or null where the operator has none. */
  readonly gradient: ((context: GradientContext<A>) => readonly (Value | null)[]) | null;
  cost(inputs: readonly TensorType[], outputs: readonly TensorType[], attributes: A): Cost;
  /**
   * Inputs whose storage the first output may take over, because element `i` of the output needs only element `i` of
   * them; or `view`, where the output is the very bytes of the first input and nothing needs to be computed.
   */
  readonly inPlace: readonly number[] | "view";
}

/** Operators by name. */
export type OperatorTable = Readonly<Record<string, Operator>>;

/** An input or attribute broke one of an operator's constraints. */
export class ConstraintError extends Error {
  override readonly name = "ConstraintError";
  readonly operator: string;
  readonly constraint: string;

  constructor(operator: string, number: string, { rule, remedy }: Constraint, got: string, where: string) {
    super(`${operator}: ${rule} (${number}), got ${got}${where}; ${remedy}`);
    this.operator = operator;
    this.constraint = number;
  }
}

/** Declares an operator; the types of its attributes follow from their schema. */
export function defineOperator<const Name extends string, const S extends AttributeSchema>(
  operator: Omit<Operator<Name, AttributesOf<S>>, "attributes"> & { readonly attributes: S },
): Operator<Name, AttributesOf<S>> {
  return operator;
}
