import type { TensorType } from "../tensor/index.ts";
import { completeAttributes } from "./attributes.ts";
import type {
  Attributes,
  GraphInput,
  GraphOutput,
  InputRole,
  Operation,
  OperatorGraph,
  Phase,
  Value,
} from "./graph.ts";
import { inferOutputTypes } from "./infer.ts";
import type { OperationWriter, OperatorTable } from "./operator.ts";

/** Builds an operator graph, operation by operation, checking each as it comes. */
export class GraphBuilder implements OperationWriter {
  readonly #operators: OperatorTable;
  readonly #name: string;
  readonly #inputs: GraphInput[] = [];
  readonly #inputNames = new Set<string>();
  readonly #operations: Operation[] = [];
  readonly #outputs: GraphOutput[] = [];
  #nextId = 0;
  #phase: Phase = "forward";
  #layer = "";

  constructor(operators: OperatorTable, name: string) {
    this.#operators = operators;
    this.#name = name;
  }

  /** The operators that this graph may use. */
  get operators(): OperatorTable {
    return this.#operators;
  }

  /** The operations so far, in order. */
  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** Adds a tensor that comes from outside. Names are unique among inputs. */
  input(name: string, type: TensorType, role: InputRole): Value {
    if (this.#inputNames.has(name)) {
      throw new Error(`graph: names of inputs must differ, got "${name}" twice; rename one of them`);
    }
    this.#inputNames.add(name);
    const value = this.#value(type);
    this.#inputs.push({ value, name, role });
    return value;
  }

  /** Applies an operator that has one output. */
  apply(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.applyAll(operator, inputs, attributes)[0];
  }

  /**
   * Applies an operator and returns all of its outputs.
   *
   * @throws Error if the operator is unknown; ConstraintError if one of its constraints is broken
   */
  applyAll(operator: string, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    const declared = this.#operators[operator];
    if (declared === undefined) {
      throw new Error(
        `graph: operators must be known, got ${operator}; known are ${Object.keys(this.#operators).join(", ")}`,
      );
    }
    const complete = completeAttributes(operator, declared.attributes, attributes);
    const types = inferOutputTypes(
      declared,
      inputs.map((input) => input.type),
      complete,
      this.#layer,
    );
    const outputs = types.map((type) => this.#value(type));
    this.#operations.push({ operator, inputs, attributes: complete, outputs, phase: this.#phase, layer: this.#layer });
    return outputs;
  }

  /** Says that a value goes outside, and with `updates` that it replaces an input for the next step. */
  output(name: string, value: Value, updates: Value | null = null): void {
    this.#outputs.push({ name, value, updates });
  }

  /** Runs `build` with all operations that it adds attributed to a layer (below the current one). */
  inLayer<T>(layer: string, build: () => T): T {
    return this.#within(this.#phase, this.#layer === "" ? layer : `${this.#layer}/${layer}`, build);
  }

  /** Runs `build` with all operations that it adds attributed to a phase and to the layer with this whole path. */
  inPhase<T>(phase: Phase, layer: string, build: () => T): T {
    return this.#within(phase, layer, build);
  }

  /** The graph so far. */
  build(): OperatorGraph {
    return {
      name: this.#name,
      inputs: [...this.#inputs],
      operations: [...this.#operations],
      outputs: [...this.#outputs],
    };
  }

  #value(type: TensorType): Value {
    return { id: this.#nextId++, type };
  }

  #within<T>(phase: Phase, layer: string, build: () => T): T {
    const before = [this.#phase, this.#layer] as const;
    [this.#phase, this.#layer] = [phase, layer];
    try {
      return build();
    } finally {
      [this.#phase, this.#layer] = before;
    }
  }
}
