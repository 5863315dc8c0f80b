import {
  type BlockProgram,
  type BlockStep,
  flatValues,
  type PlacedTensor,
  type Values,
  type VertexFamily,
} from "../graph/index.ts";
import { type HostTensor, tensor } from "../tensor/index.ts";
import { BlockMemory } from "./block-memory.ts";
import { BlockStorage } from "./block-storage.ts";
import { BlockStepPlanner, type PlannedBlockStep } from "./block-supersteps.ts";
import { blockTree } from "./block-tree.ts";
import type { TileMemory } from "./memory.ts";
import type { ProgramTree } from "./program-tree.ts";
import { type ExecutionReport, summarise } from "./report.ts";
import { dtypeOf } from "./storage.ts";
import type { Superstep } from "./superstep.ts";

/** How a block engine runs. */
export interface BlockEngineOptions {
  /** False to count costs only, without values: for graphs that are too large to compute; true unless told otherwise. */
  readonly values?: boolean;
  /** False to run a program that does not fit into memory, and to see in the report where it does not; true unless told otherwise. */
  readonly fit?: boolean;
}

/**
 * A lowered program on a modelled device: values as its vertices compute them, cycles and bytes as its vertices and
 * exchanges cost.
 */
export class BlockEngine {
  /** Where every tile's bytes go, at every step of the program. */
  readonly memory: TileMemory;
  readonly #program: BlockProgram;
  readonly #planned: readonly PlannedBlockStep[];
  readonly #storage: BlockStorage | null;
  #runs = 0;

  /** @throws OutOfMemoryError if a tile needs more bytes than it has, unless `fit` is false */
  constructor(program: BlockProgram, { values = true, fit = true }: BlockEngineOptions = {}) {
    this.#program = program;
    const planner = new BlockStepPlanner(program.graph);
    const known = new Map<VertexFamily | BlockStep, PlannedBlockStep>();
    this.#planned = program.graph.steps.map((step) => {
      const key = step.kind === "execute" ? step.family : step;
      let planned = known.get(key);
      if (planned === undefined) known.set(key, (planned = planner.plan(step)));
      return planned;
    });
    const memory = new BlockMemory(program, this.#planned);
    this.memory = memory.memory;
    if (fit) memory.check();
    this.#storage = values ? new BlockStorage(program.graph) : null;
  }

  /** Replaces an input's values: numbers in row-major order, nested numbers, a host tensor, or one number for all. */
  write(name: string, values: Values): this {
    const { variable, layout } = this.#place("write", "input", name, this.#program.inputs);
    const shown = { elements: layout.elements, shape: layout.shape, describe: () => `"${name}"` };
    this.#values("write").write(variable, layout, flatValues("write", shown, values));
    return this;
  }

  /** A copy of an output's, or an input's, values. */
  read(name: string): HostTensor {
    const places = new Map([...this.#program.inputs, ...this.#program.outputs]);
    const { variable, layout } = this.#place("read", "tensor", name, places);
    const values = this.#values("read").read(variable, layout);
    return tensor(values, { shape: layout.shape, dtype: dtypeOf[variable.type] });
  }

  /**
   * Runs the program once; parameters and states keep what it leaves in them.
   *
   * @throws Error if a codelet fails, named by its vertex
   */
  run(): this {
    for (const _ of this.steps());
    return this;
  }

  /**
   * Runs the program as `run` does, superstep by superstep: each is given when it is done, and tensors may be read and
   * written before the next is asked for. It counts as a run when it has come to its end.
   */
  *steps(): Generator<Superstep, void> {
    for (const [index, step] of this.#program.graph.steps.entries()) {
      this.#storage?.perform(step);
      yield this.#planned[index].superstep;
    }
    this.#runs++;
  }

  /** The program as a tree, with what its parts have taken in all runs. */
  programTree(): ProgramTree {
    return blockTree(this.#program, this.#planned, this.#runs);
  }

  /** What has been run. */
  report(): ExecutionReport {
    const once = this.#planned.map(({ superstep }) => superstep);
    const all = Array.from({ length: this.#runs }, () => once).flat();
    return summarise(this.#program.graph.target, all, this.memory);
  }

  #values(subject: string): BlockStorage {
    if (this.#storage !== null) return this.#storage;
    throw new Error(`${subject}: an engine that counts costs only has no values, got values: false; leave it out`);
  }

  #place(subject: string, what: string, name: string, places: ReadonlyMap<string, PlacedTensor>): PlacedTensor {
    const found = places.get(name);
    if (found !== undefined) return found;
    throw new Error(
      `${subject}: the ${what} must be one of ${[...places.keys()].join(", ")}, got "${name}"; correct the name`,
    );
  }
}

/**
 * Runs a lowered program once for its costs and tells what it took: supersteps, cycles, bytes and each tile's memory.
 *
 * @throws OutOfMemoryError if it does not fit
 */
export function simulate(program: BlockProgram, options: BlockEngineOptions = {}): ExecutionReport {
  return new BlockEngine(program, { values: false, ...options }).run().report();
}
