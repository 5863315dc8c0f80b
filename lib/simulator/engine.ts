import { checkGraph, flatValues, type Graph, type Program, type TensorView, type Values } from "../graph/index.ts";
import { type HostTensor, tensor } from "../tensor/index.ts";
import { findLiveness, type Step } from "./liveness.ts";
import { checkMemory, measureMemory, type TileMemory } from "./memory.ts";
import { conditionOf, StepPlanner } from "./planning.ts";
import { type ExecutionReport, summarise } from "./report.ts";
import { Storage } from "./storage.ts";
import type { Superstep } from "./superstep.ts";
import { VertexRunner } from "./vertex-runner.ts";

/** How an engine runs. */
export interface EngineOptions {
  /** Where printTensor's lines go; the console unless told otherwise. */
  readonly print?: (line: string) => void;
  /** Whether to look at every index that library codelets use too; those declared in a notebook always are. */
  readonly checkAllBounds?: boolean;
}

const dtypes = { float: "float32", half: "float16", int: "int32", bool: "bool" } as const;

/**
 * A graph and a program on a modelled device. Values are computed as the device would; cycles and bytes are what the
 * codelets' estimates, the exchange and the tile mapping say.
 */
export class Engine {
  /** Where every tile's bytes go, at every step of the program. */
  readonly memory: TileMemory;
  readonly #graph: Graph;
  readonly #program: Program;
  readonly #planner: StepPlanner;
  readonly #storage: Storage;
  readonly #runner: VertexRunner;
  readonly #print: (line: string) => void;
  #supersteps: Superstep[] = [];

  /**
   * Checks the graph and the program, fits them into memory and loads them.
   *
   * @throws Error that lists what is wrong with the graph or the program
   * @throws OutOfMemoryError if a tile needs more bytes than it has
   */
  constructor(graph: Graph, program: Program, { print = console.log, checkAllBounds = false }: EngineOptions = {}) {
    checkGraph(graph, program);
    this.#graph = graph;
    this.#program = program;
    this.#print = print;
    this.#planner = new StepPlanner(graph);
    const liveness = findLiveness(graph, program, (step) => this.#planner.access(step));
    const planned = liveness.steps.map((step) => this.#planner.planned(step));
    this.memory = measureMemory(graph, liveness, planned);
    checkMemory(graph, liveness, this.memory);
    this.#storage = new Storage(graph.variables.all);
    this.#runner = new VertexRunner(graph, this.#storage, checkAllBounds);
    this.load();
  }

  /** Puts initial values in memory, and 0 where there are none, and forgets what has been run. */
  load(): this {
    this.#storage.clear();
    for (const { tensor: view, values } of this.#graph.initialValues) this.#storage.scatter(view.runs, values);
    this.#supersteps = [];
    return this;
  }

  /**
   * Runs the program once, on the values that the last run has left.
   *
   * @throws Error if a codelet fails, named by its vertex, or if the program comes to an errorProgram
   */
  run(): this {
    this.#run(this.#program);
    return this;
  }

  /**
   * A copy of a tensor's values. A variable that is made and used within a run is read as the run has left it, although
   * a device may have given its memory to another.
   */
  readTensor(view: TensorView): HostTensor {
    this.#checkOwn("readTensor", view);
    const values = this.#storage.read(view);
    return tensor(values, { shape: view.shape, dtype: dtypes[view.type] });
  }

  /** Replaces a tensor's values: numbers in row-major order, nested numbers, a host tensor, or one number for all. */
  writeTensor(view: TensorView, values: Values): this {
    this.#checkOwn("writeTensor", view);
    this.#storage.scatter(view.runs, flatValues("writeTensor", view, values));
    return this;
  }

  /** What has been run since the program was loaded. */
  report(): ExecutionReport {
    return summarise(this.#graph.target, this.#supersteps, this.memory);
  }

  #run(part: Program): void {
    switch (part.kind) {
      case "sequence":
        for (const inner of part.programs) this.#run(inner);
        return;
      case "execute":
        this.#pass(part);
        for (const vertex of this.#planner.members(part.computeSet.id)) this.#runner.run(vertex);
        return;
      case "copy":
        this.#pass(part);
        this.#storage.scatter(part.destination.runs, this.#storage.read(part.source));
        return;
      case "repeat":
        for (let time = 0; time < part.count; time++) this.#run(part.body);
        return;
      case "repeatWhile":
        for (;;) {
          this.#run(part.condition);
          if ((this.#decide(part) !== 0) !== part.expected) return;
          this.#run(part.body);
        }
      case "if":
        this.#run(this.#decide(part) !== 0 ? part.then : part.otherwise);
        return;
      case "switch":
        this.#run(part.cases.get(this.#decide(part)) ?? part.otherwise);
        return;
      case "call":
        this.#run(part.callee.body);
        return;
      case "printTensor":
        this.#print(`${part.title}: ${formatValues(this.#storage.read(part.tensor))}`);
        return;
      case "errorProgram":
        throw new Error(
          `errorProgram: the program must not come here, got "${part.message}" (after ${this.#supersteps.length} supersteps); look at the condition before it`,
        );
    }
  }

  /** Takes note of a step's supersteps. */
  #pass(step: Step): void {
    for (const superstep of this.#planner.planned(step).supersteps) this.#supersteps.push(superstep);
  }

  #decide(step: Extract<Step, { kind: "repeatWhile" | "if" | "switch" }>): number {
    this.#pass(step);
    return this.#storage.read(conditionOf(step))[0];
  }

  #checkOwn(subject: string, view: TensorView): void {
    if (view.variables !== this.#graph.variables) {
      throw new Error(
        `${subject}: a tensor must be of the engine's graph, got ${view.describe()} of another; use the one it was built from`,
      );
    }
  }
}

// A line of a notebook, not a dump.
const shownValues = 32;

function formatValues(values: ArrayLike<number>): string {
  const shown = Array.from({ length: Math.min(values.length, shownValues) }, (_, index) => values[index]);
  const more = values.length > shownValues ? `, … (${values.length} values)` : "";
  return `[${shown.join(", ")}${more}]`;
}
