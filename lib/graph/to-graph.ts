import { type BlockGraph, type BlockVariable, columnStart, stateAt, type VertexFamily } from "./block-graph.ts";
import { Graph } from "./graph.ts";
import { copy, execute, type Program, sequence } from "./program.ts";
import type { TensorView } from "./tensor-view.ts";

/** A block graph as a graph of single vertices, and the program that runs its families one after the other. */
export interface ExpandedGraph {
  readonly graph: Graph;
  readonly program: Program;
  /** The tensor of each variable, flat, in the order of its blocks. */
  readonly tensors: ReadonlyMap<BlockVariable, TensorView>;
}

/**
 * Turns a block graph into a graph, vertex by vertex and edge by edge: for small ones. A variable that takes over
 * another's memory has its own here, as vertices of `Graph` may not write what others of their compute set read; what
 * replaces a parameter or a state is copied to it in the end.
 */
export function toGraph(blocks: BlockGraph): ExpandedGraph {
  const graph = new Graph(blocks.target);
  const tensors = new Map<BlockVariable, TensorView>();
  for (const variable of blocks.variables) {
    const { type, layout, name, role, value, tiles } = variable;
    const tensor =
      role === "constant"
        ? graph.addConstant(type, [layout.elements], value, name)
        : graph.addVariable(type, [layout.elements], name);
    for (let block = 0; block < layout.count; block++) {
      const start = layout.offsetOf(block);
      graph.setTileMapping(tensor.slice(start, start + layout.elementsOf(block)), tiles[block]);
    }
    tensors.set(variable, tensor);
  }
  const executions = new Map<VertexFamily, Program>();
  for (const family of blocks.families) {
    const computeSet = graph.addComputeSet(family.name);
    for (let index = 0; index < family.count; index++) {
      const vertex = graph.addVertex(computeSet, family.codelet);
      graph.setTileMapping(vertex, family.tiles[index]);
      for (const column of [...family.inputs, ...family.outputs]) {
        const { variable, blocks: numbers, field } = column;
        const tensor = tensors.get(variable) as TensorView;
        const views: TensorView[] = [];
        for (let place = columnStart(column, index); place < columnStart(column, index + 1); place++) {
          const block = numbers === null ? place : numbers[place] - variable.firstBlock;
          const start = variable.layout.offsetOf(block);
          views.push(tensor.slice(start, start + variable.layout.elementsOf(block)));
        }
        const declared = family.codelet.fields[field];
        const list = declared.kind === "edge" && declared.extent === "vectors";
        graph.connect(vertex, field, list ? views : views[0]);
      }
      for (const [field, column] of Object.entries(family.states)) graph.connect(vertex, field, stateAt(column, index));
    }
    executions.set(family, execute(computeSet));
  }
  const steps = blocks.steps.map((step) =>
    step.kind === "execute"
      ? (executions.get(step.family) as Program)
      : copy(tensors.get(step.from) as TensorView, tensors.get(step.to) as TensorView),
  );
  const replaced = new Map<number, BlockVariable>();
  for (const variable of blocks.variables) {
    const kept = blocks.variables[variable.storage];
    if (variable !== kept && kept.role !== "made") replaced.set(kept.id, variable);
  }
  for (const [kept, last] of replaced) {
    steps.push(copy(tensors.get(last) as TensorView, tensors.get(blocks.variables[kept]) as TensorView));
  }
  return { graph, program: sequence(steps), tensors };
}
