import { type Graph, type Row, type TensorView, verticesOfComputeSets } from "../graph/index.ts";
import { type Step, type StepAccess, variablesOf } from "./liveness.ts";
import { type PlannedStep, planCondition, planCopy, planExecute, planOutside } from "./superstep.ts";

/** What each step of a program reads, writes and costs; found out once, however often a step is run. */
export class StepPlanner {
  readonly #graph: Graph;
  readonly #members: (computeSet: number) => Uint32Array;
  readonly #access = new Map<Step, StepAccess>();
  readonly #planned = new Map<Step, PlannedStep>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#members = verticesOfComputeSets(graph);
  }

  /** The vertices of a compute set. */
  members(computeSet: number): Uint32Array {
    return this.#members(computeSet);
  }

  planned(step: Step): PlannedStep {
    return remembered(this.#planned, step, () => this.#plan(step));
  }

  access(step: Step): StepAccess {
    return remembered(this.#access, step, () => this.#findAccess(step));
  }

  #plan(step: Step): PlannedStep {
    switch (step.kind) {
      case "execute":
        return planExecute(this.#graph, step.computeSet.name, this.#members(step.computeSet.id));
      case "copy":
        return planCopy(this.#graph, step.source, step.destination);
      case "copyIn":
        return planOutside(this.#graph, { ...step, outside: step.source, tensor: step.destination }, "in");
      case "copyOut":
        return planOutside(this.#graph, { ...step, outside: step.destination, tensor: step.source }, "out");
      case "printTensor":
        // The host reads the tensor while the device stands still; no cycle of the device passes.
        return noStep(this.#graph.target.tileCount);
      default:
        return planCondition(this.#graph, conditionOf(step));
    }
  }

  #findAccess(step: Step): StepAccess {
    const none: ReadonlySet<number> = new Set();
    switch (step.kind) {
      case "execute":
        return this.#accessOfVertices(this.#members(step.computeSet.id));
      case "copy":
        return { reads: variablesOf(step.source), ...this.#written(step.destination) };
      case "copyIn":
        return { reads: variablesOfRow(step.row), ...this.#written(step.destination) };
      case "copyOut": {
        const reads = new Set([...variablesOf(step.source), ...variablesOfRow(step.row)]);
        return { reads, writes: none, replaced: none };
      }
      case "printTensor":
        return { reads: variablesOf(step.tensor), writes: none, replaced: none };
      default:
        return { reads: variablesOf(conditionOf(step)), writes: none, replaced: none };
    }
  }

  #written(destination: TensorView): Pick<StepAccess, "writes" | "replaced"> {
    const written = new Map<number, number>();
    for (const { variable, count } of destination.runs) addTo(written, variable, count);
    return { writes: new Set(written.keys()), replaced: this.#whole(written) };
  }

  #accessOfVertices(members: Uint32Array): StepAccess {
    const { vertices } = this.#graph;
    const reads = new Set<number>();
    const writes = new Set<number>();
    const written = new Map<number, number>();
    for (const vertex of members) {
      for (const [place, [, field]] of vertices.fieldsOf(vertex).entries()) {
        if (field.kind === "state") continue;
        vertices.forEachRun(vertex, place, (variable, _start, count) => {
          if (field.direction !== "output") reads.add(variable);
          if (field.direction !== "input") writes.add(variable);
          if (field.direction === "output") addTo(written, variable, count);
        });
      }
    }
    return { reads, writes, replaced: this.#whole(written) };
  }

  /** Variables of which every element is written: no element is written twice in a step, so that counting is enough. */
  #whole(written: ReadonlyMap<number, number>): Set<number> {
    const { all } = this.#graph.variables;
    return new Set([...written].filter(([variable, count]) => count === all[variable].elements).map(([key]) => key));
  }
}

/** Variables that the number of a row is read from. */
function variablesOfRow(row: Row): Set<number> {
  return typeof row === "number" ? new Set() : variablesOf(row);
}

/** The element that a step decides by. */
export function conditionOf(step: Extract<Step, { kind: "repeatWhile" | "if" | "switch" }>): TensorView {
  return step.kind === "switch" ? step.selector : step.predicate;
}

function addTo(sums: Map<number, number>, key: number, count: number): void {
  sums.set(key, (sums.get(key) ?? 0) + count);
}

function remembered<K, V>(known: Map<K, V>, key: K, find: () => V): V {
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = find()));
  return value;
}

/** What takes no superstep and no memory. */
function noStep(tileCount: number): PlannedStep {
  const none = new Uint32Array(tileCount);
  return { supersteps: [], exchangeBytes: new Float64Array(tileCount), receivedPieces: none, sentPieces: none };
}
