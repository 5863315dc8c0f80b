import type { Operation, OperatorGraph, Value } from "../../ir/index.ts";
import { GraphEditor } from "../rematerialisation/graph-editor.ts";
import type { Tape } from "../rematerialisation/tape.ts";
import type { MemoryStrategy } from "./strategy.ts";

/**
 * Makes what is inside reversible blocks again from their outputs, from the last block to the first, so that a row of
 * them saves one output, however long it is (Gomez et al., "The reversible residual network", 2017). Blocks are found by
 * their form (`nn.reversible`): x₁, x₂ = split(x), y₁ = x₁ + f(x₂), y₂ = x₂ + g(y₁), y = concat(y₁, y₂).
 */
export const reversible: MemoryStrategy = {
  name: "reversible",
  summary: "computes the inputs of reversible blocks from their outputs instead of keeping them",
  storage: "reused",
  results:
    "inputs of reversible blocks are differences of rounded sums: off by some units in the last place for each block",
  plan({ tape }) {
    const blocks = findBlocks(tape);
    if (blocks.length === 0) return { graph: tape.graph, reason: "There are no reversible blocks: nothing changes." };
    return {
      graph: new Inversion(tape, blocks).graph(),
      reason: `${blocks.length} reversible blocks are inverted in the backward pass.`,
    };
  },
};

/** A reversible block: ids of its values. */
interface Block {
  readonly input: Value;
  readonly axis: number;
  readonly halves: readonly [Value, Value];
  readonly sums: readonly [Value, Value];
  /** What f makes of the second half, and g of the first sum. */
  readonly added: readonly [Value, Value];
  readonly output: Value;
  /** Positions of the operations of f and g. */
  readonly inside: ReadonlySet<number>;
}

/** All reversible blocks, in order. */
function findBlocks(tape: Tape): readonly Block[] {
  const { graph, forward, producer } = tape;
  const makerOf = ({ id }: Value): Operation | undefined => graph.operations[producer[id]];
  const blocks: Block[] = [];
  for (const position of forward) {
    const { operator, inputs, attributes, outputs } = graph.operations[position];
    if (operator !== "concat" || inputs.length !== 2) continue;
    const [first, second] = inputs.map(makerOf);
    if (first?.operator !== "add" || second?.operator !== "add") continue;
    const split = [...first.inputs, ...second.inputs].map(makerOf).find((maker) => maker?.operator === "split");
    if (split === undefined || split.outputs.length !== 2 || split.attributes.axis !== attributes.axis) continue;
    const [x1, x2] = split.outputs;
    const f = otherOperand(first, x1);
    const g = otherOperand(second, x2);
    if (f === null || g === null) continue;
    const ofF = pathBack(tape, f, x2);
    const ofG = pathBack(tape, g, inputs[0]);
    // Of x₁ and y₂ nothing else may be made than the sums: the inverse would need itself.
    if (ofF === null || ofG === null) continue;
    blocks.push({
      input: split.inputs[0],
      axis: attributes.axis as number,
      halves: [x1, x2],
      sums: [inputs[0], inputs[1]],
      added: [f, g],
      output: outputs[0],
      inside: new Set([...ofF, ...ofG]),
    });
  }
  return blocks;
}

function otherOperand({ inputs }: Operation, known: Value): Value | null {
  const at = inputs.findIndex(({ id }) => id === known.id);
  return at < 0 ? null : inputs[1 - at];
}

/** Positions of the operations between two values; null if the later one does not depend on the earlier one. */
function pathBack({ graph, producer }: Tape, from: Value, to: Value): ReadonlySet<number> | null {
  const first = producer[to.id];
  const found = new Set<number>();
  const open = [from.id];
  let reached = false;
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === to.id) reached = true;
    const position = producer[id];
    if (id === to.id || position <= first || found.has(position)) continue;
    found.add(position);
    for (const input of graph.operations[position].inputs) open.push(input.id);
  }
  return reached ? found : null;
}

/** Writes a graph in which the backward pass goes by values that are made from outputs. */
class Inversion {
  readonly #tape: Tape;
  readonly #editor: GraphEditor;
  /** By id of a value inside blocks: how it is made in the backward pass. */
  readonly #recipes = new Map<number, () => readonly [readonly Value[], readonly Value[]]>();
  /** By id of a value inside blocks: what stands for it in the backward pass. */
  readonly #made = new Map<number, Value>();

  constructor(tape: Tape, blocks: readonly Block[]) {
    this.#tape = tape;
    this.#editor = new GraphEditor(tape.graph);
    for (const block of blocks) this.#declare(block, blocks);
  }

  graph(): OperatorGraph {
    const forward = new Set(this.#tape.forward);
    for (const [position, operation] of this.#tape.graph.operations.entries()) {
      const inputs = forward.has(position) ? operation.inputs : operation.inputs.map((input) => this.#resolve(input));
      this.#editor.keep(operation, inputs);
    }
    return this.#editor.graph();
  }

  #declare(block: Block, blocks: readonly Block[]): void {
    const { axis, halves, sums, added, input, output, inside } = block;
    const { graph, producer } = this.#tape;
    const layer = graph.operations[producer[output.id]].layer;
    const make = (values: readonly Value[], operator: string, from: () => readonly Value[], attributes = {}): void => {
      const recipe = () => {
        const operands = from().map((value) => this.#resolve(value));
        this.#editor.enter("backward", layer, true);
        return [values, this.#editor.applyAll(operator, operands, attributes)] as const;
      };
      for (const { id } of values) this.#recipes.set(id, recipe);
    };
    make(sums, "split", () => [output], { axis, parts: 2 });
    make([halves[1]], "subtract", () => [sums[1], added[1]]);
    make([halves[0]], "subtract", () => [sums[0], added[0]]);
    // What another block gives is made again; what comes from elsewhere is there.
    if (blocks.some((other) => other.output.id === input.id)) make([input], "concat", () => halves, { axis });
    for (const position of inside) {
      const operation = graph.operations[position];
      const recipe = () => {
        const operands = operation.inputs.map((value) => this.#resolve(value));
        return [operation.outputs, this.#editor.repeat(operation, operands)] as const;
      };
      for (const { id } of operation.outputs) this.#recipes.set(id, recipe);
    }
  }

  /** What stands for a value in the backward pass; made now, if nobody has asked before. */
  #resolve(value: Value): Value {
    const recipe = this.#recipes.get(value.id);
    if (recipe === undefined) return value;
    const known = this.#made.get(value.id);
    if (known !== undefined) return known;
    const [values, made] = recipe();
    for (const [index, { id }] of values.entries()) this.#made.set(id, made[index]);
    return this.#made.get(value.id) as Value;
  }
}
