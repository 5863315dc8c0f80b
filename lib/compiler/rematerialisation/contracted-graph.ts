import type { RematerialisationNode } from "../../memory/index.ts";
import { isElementwise, type Tape } from "./tape.ts";

/** A node of a contracted graph: an operation whose result is stored, or an update, with what is computed along with it. */
export interface ContractedNode extends RematerialisationNode {
  /** Position of the operation; running it runs what comes along before it. */
  readonly position: number;
  /** Positions of operations of which nothing is stored and that read nothing else, run after it the first time. */
  readonly after: readonly number[];
  /** Roots that go when its result does: the result, and what is not stored and was made from it. */
  readonly values: readonly number[];
}

/**
 * The stored values of a tape as a graph of its own: operations of which nothing is stored, such as views and what a
 * target fuses, belong to those that read them. Costs are arithmetic, and 1 where there is none.
 */
export function contractedGraph(tape: Tape): readonly ContractedNode[] {
  const { graph, inputs, outputs, producer, root, bytes, flops } = tape;
  const updated = new Set(graph.outputs.flatMap(({ value, updates }) => (updates === null ? [] : [root[value.id]])));
  // What replaces a weight or a state takes that one's bytes.
  const sizeOf = (id: number): number => (root[id] === id && !updated.has(id) ? bytes[id] : 0);
  const sizes = graph.operations.map((_, position) => outputs[position].reduce((sum, id) => sum + sizeOf(id), 0));
  const nodeOf = new Map<number, number>();
  const reached = new Set<number>();
  /** The nodes that an operation reads, through whatever is not stored, and the operations on the way. */
  const reading = (position: number): { readonly nodes: Set<number>; readonly along: Set<number> } => {
    const nodes = new Set<number>();
    const along = new Set<number>([position]);
    for (const next of along) {
      for (const id of inputs[next]) {
        const maker = producer[root[id]];
        if (maker < 0) continue;
        if (sizes[maker] > 0) nodes.add(nodeOf.get(maker) as number);
        else along.add(maker);
        // A view may be of something stored, and is an operation all the same.
        const view = producer[id];
        if (view !== maker) along.add(view);
      }
    }
    return { nodes, along };
  };
  const drafts: Draft[] = [];
  for (const position of graph.operations.keys()) {
    if (sizes[position] === 0) continue;
    const { nodes, along } = reading(position);
    for (const one of along) reached.add(one);
    const made = outputs[position].filter((id) => root[id] === id);
    for (const node of nodes) {
      for (const one of along) if (one !== position) for (const id of outputs[one]) drafts[node].values.add(root[id]);
    }
    nodeOf.set(position, drafts.length);
    const cost = [...along].reduce((sum, one) => sum + flops[one], 0);
    drafts.push({
      place: drafts.length,
      position,
      cost,
      bytes: sizes[position],
      inputs: nodes,
      after: [],
      values: new Set(made),
    });
  }
  // Updates and the like: with whatever they read alone, or as nodes of their own, those that read the same together.
  const own = new Map<string, Draft>();
  for (const position of graph.operations.keys()) {
    if (reached.has(position)) continue;
    const { nodes } = reading(position);
    const last = Math.max(0, ...nodes);
    const key = [...nodes].sort().join();
    const known = nodes.size <= 1 ? drafts[last] : own.get(key);
    if (known !== undefined) known.after.push(position);
    else own.set(key, { place: last + 0.5, position, cost: 0, bytes: 0, inputs: nodes, after: [], values: new Set() });
  }
  drafts.push(...own.values());
  const outside = new Set(graph.outputs.map(({ value }) => root[value.id]));
  const isElementwiseAt = ({ position }: Draft): boolean => isElementwise(graph.operations[position]);
  return joined(drafts, isElementwiseAt, ({ values }) => [...values].some((id) => outside.has(id)));
}

/** A node that is being put together. */
interface Draft {
  /** Where in the order of first computations it stands. */
  readonly place: number;
  readonly position: number;
  cost: number;
  readonly bytes: number;
  readonly inputs: Set<number>;
  readonly after: number[];
  readonly values: Set<number>;
}

/**
 * Joins what only an element-wise operation of the same size reads to that operation: whatever would keep the one keeps
 * the other instead. What goes outside stays a node.
 */
function joined(
  drafts: readonly Draft[],
  isElementwiseAt: (draft: Draft) => boolean,
  isOutside: (draft: Draft) => boolean,
): readonly ContractedNode[] {
  const readers = drafts.map((): number[] => []);
  for (const [node, { inputs }] of drafts.entries()) for (const input of inputs) readers[input].push(node);
  const gone = new Set<number>();
  for (const [node, draft] of drafts.entries()) {
    if (!isElementwiseAt(draft)) continue;
    for (const input of [...draft.inputs]) {
      const operand = drafts[input];
      if (readers[input].length > 1 || operand.bytes > draft.bytes || isOutside(operand)) continue;
      gone.add(input);
      draft.cost += operand.cost;
      draft.inputs.delete(input);
      draft.after.push(...operand.after);
      for (const id of operand.values) draft.values.add(id);
      for (const before of operand.inputs) {
        draft.inputs.add(before);
        readers[before] = [...new Set(readers[before].map((reader) => (reader === input ? node : reader)))];
      }
    }
  }
  const kept = [...drafts.keys()].filter((node) => !gone.has(node));
  kept.sort((a, b) => drafts[a].place - drafts[b].place);
  const number = new Map(kept.map((node, index) => [node, index]));
  return kept.map((node) => {
    const { position, cost, bytes, inputs, after, values } = drafts[node];
    return {
      position,
      // Of two plans with equal arithmetic the one that repeats less is better.
      cost: Math.max(cost, 1),
      bytes,
      inputs: [...inputs].map((input) => number.get(input) as number).sort((a, b) => a - b),
      after: [...after].sort((a, b) => a - b),
      values: [...values],
    };
  });
}
