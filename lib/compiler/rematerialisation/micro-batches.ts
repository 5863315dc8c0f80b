import type { GraphOutput, Operation, OperatorGraph, Value } from "../../ir/index.ts";
import { isFloat } from "../../tensor/index.ts";
import { GraphEditor } from "./graph-editor.ts";

/**
 * A step of several micro-batches, one after the other, from the step of one: data comes for all of them and is cut;
 * forward and backward pass are there once for each; what they give (loss, gradients) is averaged as it comes, and the
 * update is made once. States that the forward pass changes, such as running means, go from one micro-batch to the next.
 *
 * Values of the first micro-batch and of the update keep their ids.
 */
export function repeatForMicroBatches(graph: OperatorGraph, count: number): OperatorGraph {
  if (count === 1) return graph;
  return new Repetition(graph, count).graph();
}

class Repetition {
  readonly #graph: OperatorGraph;
  readonly #count: number;
  readonly #editor: GraphEditor;
  /** Ids of what the update or the outside takes from forward and backward pass. */
  readonly #results: ReadonlySet<number>;
  /** By id of a result: the mean of the micro-batches so far. */
  readonly #means = new Map<number, Value>();
  /** By id in the given graph: the value in the micro-batch that is being written. */
  #current = new Map<number, Value>();

  constructor(graph: OperatorGraph, count: number) {
    this.#graph = graph;
    this.#count = count;
    this.#editor = new GraphEditor(graph);
    this.#results = resultsOf(graph);
  }

  graph(): OperatorGraph {
    const { inputs, operations, outputs } = this.#graph;
    const all = inputs.map((input) => (input.role === "data" ? { ...input, value: this.#forAll(input.value) } : input));
    const editor = this.#editor;
    for (let number = 0; number < this.#count; number++) {
      const before = this.#current;
      this.#current = new Map(inputs.map(({ value }) => [value.id, value]));
      for (const [index, { value, role }] of inputs.entries()) {
        if (role === "data") this.#cut(all[index].value, value, number);
      }
      for (const { value, updates } of outputs) {
        const carried = before.get(value.id);
        if (updates !== null && carried !== undefined) this.#current.set(updates.id, carried);
      }
      for (const operation of operations) if (operation.phase !== "update") this.#write(operation, number);
    }
    const resolve = (value: Value): Value => this.#means.get(value.id) ?? this.#current.get(value.id) ?? value;
    const states = new Map<number, Value>();
    // An update reads what states were before the step, as it does without micro-batches.
    for (const { value, role } of inputs) if (role !== "data") states.set(value.id, value);
    for (const operation of operations) {
      if (operation.phase !== "update") continue;
      editor.keep(
        operation,
        operation.inputs.map((input) => states.get(input.id) ?? resolve(input)),
      );
    }
    const written = outputs.map((output): GraphOutput => ({ ...output, value: resolve(output.value) }));
    return { ...editor.graph(), inputs: all, outputs: written };
  }

  /** The value that holds the data of all micro-batches. */
  #forAll({ type }: Value): Value {
    const [samples, ...rest] = type.shape;
    return { id: this.#editor.takeId(), type: { ...type, shape: [samples * this.#count, ...rest] } };
  }

  /** Cuts a micro-batch out of the data. */
  #cut(from: Value, piece: Value, number: number): void {
    const { shape } = piece.type;
    const starts = shape.map((samples, axis) => (axis === 0 ? samples * number : 0));
    const attributes = { starts, sizes: shape };
    const cut: Operation = { operator: "slice", inputs: [], attributes, outputs: [piece], phase: "forward", layer: "" };
    this.#emit(cut, [from], number);
  }

  #write(operation: Operation, number: number): void {
    const inputs = operation.inputs.map(({ id }) => this.#current.get(id) as Value);
    this.#emit(operation, inputs, number);
    for (const { id, type } of operation.outputs) {
      if (!this.#results.has(id) || !isFloat(type.dtype)) continue;
      this.#editor.enter("backward", operation.layer);
      const made = this.#current.get(id) as Value;
      const share = this.#editor.apply("scale", [made], { factor: 1 / this.#count });
      const mean = this.#means.get(id);
      this.#means.set(id, mean === undefined ? share : this.#editor.apply("add", [mean, share]));
    }
  }

  #emit(operation: Operation, inputs: readonly Value[], number: number): void {
    const { outputs } = operation;
    const made = outputs.map(
      ({ id, type }): Value => (number === 0 ? { id, type } : { id: this.#editor.takeId(), type }),
    );
    this.#editor.keep({ ...operation, outputs: made }, inputs);
    for (const [index, { id }] of outputs.entries()) this.#current.set(id, made[index]);
  }
}

/** What forward and backward pass give to the update or the outside, but for states that they change themselves. */
function resultsOf({ operations, outputs }: OperatorGraph): ReadonlySet<number> {
  const made = new Set(
    operations.filter(({ phase }) => phase !== "update").flatMap((operation) => operation.outputs.map(({ id }) => id)),
  );
  const results = new Set<number>();
  for (const { phase, inputs } of operations) {
    if (phase === "update") for (const { id } of inputs) if (made.has(id)) results.add(id);
  }
  for (const { value, updates } of outputs) if (updates === null && made.has(value.id)) results.add(value.id);
  for (const { value, updates } of outputs) if (updates !== null) results.delete(value.id);
  return results;
}
