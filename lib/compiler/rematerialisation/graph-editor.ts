import {
  type Attributes,
  completeAttributes,
  inferOutputTypes,
  type Operation,
  type OperationWriter,
  type OperatorGraph,
  type Phase,
  type Value,
} from "../../ir/index.ts";
import { type OperatorName, operatorTable } from "../../ops/index.ts";

/** Writes a graph anew: operations as they were or with other operands, and new ones between them. */
export class GraphEditor implements OperationWriter {
  readonly #graph: OperatorGraph;
  readonly #operations: Operation[] = [];
  #nextId: number;
  #phase: Phase = "forward";
  #layer = "";
  #recomputed = false;

  constructor(graph: OperatorGraph) {
    this.#graph = graph;
    this.#nextId = firstFreeId(graph);
  }

  /** An id that no value has yet. */
  takeId(): number {
    return this.#nextId++;
  }

  /** Writes an operation of the old graph, with these operands. */
  keep(operation: Operation, inputs: readonly Value[] = operation.inputs): void {
    this.#operations.push({ ...operation, inputs });
  }

  /**
   * New operations belong to this part of the step from here on.
   *
   * @param recomputed whether what they make was there before
   */
  enter(phase: Phase, layer: string, recomputed = false): void {
    this.#phase = phase;
    this.#layer = layer;
    this.#recomputed = recomputed;
  }

  apply(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.applyAll(operator, inputs, attributes)[0];
  }

  applyAll(operator: string, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    const declared = operatorTable[operator as OperatorName];
    const complete = completeAttributes(operator, declared.attributes, attributes);
    const given = inputs.map(({ type }) => type);
    const types = inferOutputTypes(declared, given, complete, this.#layer);
    const outputs = types.map((type): Value => ({ id: this.takeId(), type }));
    this.#operations.push({
      operator,
      inputs,
      attributes: complete,
      outputs,
      phase: this.#phase,
      layer: this.#layer,
      ...(this.#recomputed ? { recomputed: true } : {}),
    });
    return outputs;
  }

  /** Writes an operation of the old graph once more, marked as recomputed; its results are new values. */
  repeat(operation: Operation, inputs: readonly Value[]): readonly Value[] {
    const outputs = operation.outputs.map(({ type }): Value => ({ id: this.takeId(), type }));
    this.#operations.push({ ...operation, inputs, outputs, phase: "backward", recomputed: true });
    return outputs;
  }

  /** The new graph, with the inputs and outputs of the old one. */
  graph(): OperatorGraph {
    return { ...this.#graph, operations: this.#operations };
  }
}

/** An id above all that a graph uses. */
export function firstFreeId({ inputs, operations }: OperatorGraph): number {
  let free = 0;
  for (const { value } of inputs) free = Math.max(free, value.id + 1);
  for (const { outputs } of operations) for (const { id } of outputs) free = Math.max(free, id + 1);
  return free;
}
