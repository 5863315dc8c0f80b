import {
  checkGraph,
  type DataStream,
  flatValues,
  type Graph,
  type Program,
  type RemoteBuffer,
  type Row,
  type TensorView,
  type Values,
} from "../graph/index.ts";
import { type HostTensor, tensor } from "../tensor/index.ts";
import { HostSide, type StreamCallback } from "./host-side.ts";
import { findLiveness, type Step } from "./liveness.ts";
import { checkMemory, measureMemory, type TileMemory } from "./memory.ts";
import { conditionOf, StepPlanner } from "./planning.ts";
import { ProgramTrace, type TracedPart } from "./program-trace.ts";
import type { ProgramTree } from "./program-tree.ts";
import { type ExecutionReport, summarise } from "./report.ts";
import { dtypeOf, Storage } from "./storage.ts";
import type { Superstep } from "./superstep.ts";
import { VertexRunner } from "./vertex-runner.ts";

/** How an engine runs. */
export interface EngineOptions {
  /** Where printTensor's lines go; the console unless told otherwise. */
  readonly print?: (line: string) => void;
  /** Whether to look at every index that library codelets use too; those declared in a notebook always are. */
  readonly checkAllBounds?: boolean;
}

/**
 * A graph and a program on a modelled device. Values are computed as the device would; cycles and bytes are what the
 * codelets' estimates, the exchange and the tile mapping say.
 */
export class Engine {
  /** Where every tile's bytes go, at every step of the program. */
  readonly memory: TileMemory;
  readonly #graph: Graph;
  readonly #trace: ProgramTrace;
  readonly #host: HostSide;
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
    this.#trace = new ProgramTrace(program);
    this.#host = new HostSide(graph);
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
    this.#host.clear();
    this.#trace.clear();
    this.#supersteps = [];
    return this;
  }

  /**
   * Runs the program once, on the values that the last run has left.
   *
   * @throws Error if a codelet fails, named by its vertex, if a stream's callback fails, or if the program comes to an
   * errorProgram
   */
  run(): this {
    for (const _ of this.steps());
    return this;
  }

  /**
   * Runs the program as `run` does, superstep by superstep: each is given when it is done, and tensors may be read and
   * written before the next is asked for.
   */
  *steps(): Generator<Superstep, void> {
    yield* this.#run(this.#trace.root);
  }

  /**
   * Says what the host does at its end of a stream: for one to the device, give the values that are wanted next; for one
   * to the host, take a tensor [elements].
   */
  connectStream(stream: DataStream | string, callback: StreamCallback): this {
    this.#host.connect(stream, callback);
    return this;
  }

  /** A copy of a row of a remote buffer, [elements]. */
  readRemoteBuffer(buffer: RemoteBuffer, row = 0): HostTensor {
    const values = this.#host.readRow(buffer, row);
    return tensor(values, { shape: [buffer.elements], dtype: dtypeOf[buffer.type] });
  }

  /** Replaces a row of a remote buffer: as many numbers as it has elements, or one for all. */
  writeRemoteBuffer(buffer: RemoteBuffer, values: Values, row = 0): this {
    const { elements, name } = buffer;
    const shown = { elements, shape: [elements], describe: () => `remote buffer "${name}"` };
    this.#host.writeRow(buffer, row, flatValues("writeRemoteBuffer", shown, values));
    return this;
  }

  /**
   * A copy of a tensor's values. A variable that is made and used within a run is read as the run has left it, although
   * a device may have given its memory to another.
   */
  readTensor(view: TensorView): HostTensor {
    this.#checkOwn("readTensor", view);
    const values = this.#storage.read(view);
    return tensor(values, { shape: view.shape, dtype: dtypeOf[view.type] });
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

  /** The program as a tree, with what its parts have taken since it was loaded. */
  programTree(): ProgramTree {
    return this.#trace.tree(this.#graph.target.name, (computeSet) => this.#planner.members(computeSet).length);
  }

  *#run(traced: TracedPart): Generator<Superstep, void> {
    this.#trace.begin(traced);
    try {
      yield* this.#perform(traced.program, traced.parts);
    } finally {
      this.#trace.end();
    }
  }

  *#perform(part: Program, parts: readonly TracedPart[]): Generator<Superstep, void> {
    switch (part.kind) {
      case "sequence":
        for (const inner of parts) yield* this.#run(inner);
        return;
      case "execute":
        for (const vertex of this.#planner.members(part.computeSet.id)) this.#runner.run(vertex);
        yield* this.#pass(part);
        return;
      case "copy":
        this.#storage.scatter(part.destination.runs, this.#storage.read(part.source));
        yield* this.#pass(part);
        return;
      case "copyIn": {
        const { source, destination } = part;
        const given =
          source.kind === "stream" ? this.#host.receive(source) : this.#host.readRow(source, this.#row(part.row));
        this.#storage.scatter(destination.runs, given);
        yield* this.#pass(part);
        return;
      }
      case "copyOut": {
        const values = this.#storage.read(part.source);
        const { destination } = part;
        if (destination.kind === "stream") this.#host.send(destination, values);
        else this.#host.writeRow(destination, this.#row(part.row), values);
        yield* this.#pass(part);
        return;
      }
      case "repeat":
        for (let time = 0; time < part.count; time++) yield* this.#run(parts[0]);
        return;
      case "repeatWhile": {
        const [condition, body] = parts;
        for (;;) {
          yield* this.#run(condition);
          if (((yield* this.#decide(part)) !== 0) !== part.expected) return;
          yield* this.#run(body);
        }
      }
      case "if": {
        const [then, otherwise] = parts;
        yield* this.#run((yield* this.#decide(part)) !== 0 ? then : otherwise);
        return;
      }
      case "switch": {
        const place = [...part.cases.keys()].indexOf(yield* this.#decide(part));
        yield* this.#run(parts[place < 0 ? parts.length - 1 : place]);
        return;
      }
      case "call":
        yield* this.#run(parts[0]);
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
  *#pass(step: Step): Generator<Superstep, void> {
    for (const superstep of this.#planner.planned(step).supersteps) {
      this.#supersteps.push(superstep);
      this.#trace.pass(superstep);
      yield superstep;
    }
  }

  *#decide(step: Extract<Step, { kind: "repeatWhile" | "if" | "switch" }>): Generator<Superstep, number> {
    const value = this.#storage.read(conditionOf(step))[0];
    yield* this.#pass(step);
    return value;
  }

  #row(row: Row): number {
    return typeof row === "number" ? row : this.#storage.read(row)[0];
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
