import {
  type BlockGraph,
  type BlockProgram,
  type BlockStep,
  type BlockVariable,
  blockBytes,
  columnLength,
} from "../graph/index.ts";
import { type PlannedBlockStep, vertexStateBytes } from "./block-supersteps.ts";
import { controlCodeBytes, exchangeCodeBytes, vertexCodeBytes } from "./code.ts";
import { checkFit, type StepMemory, type TileMemory, tileMemory } from "./memory.ts";

/** For each step, the memories that hold something that is still wanted, by the number of their first variable. */
interface BlockLiveness {
  readonly always: ReadonlySet<number>;
  readonly during: readonly ReadonlySet<number>[];
}

interface Access {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly replaces: readonly number[];
}

function accessOf(step: BlockStep): Access {
  if (step.kind === "copy")
    return { reads: [step.from.storage], writes: [step.to.storage], replaces: [step.to.storage] };
  const { family } = step;
  const whole = family.outputs.filter((column) => columnLength(column, family) === column.variable.layout.count);
  return {
    reads: family.inputs.map(({ variable }) => variable.storage),
    writes: family.outputs.map(({ variable }) => variable.storage),
    replaces: whole.map(({ variable }) => variable.storage),
  };
}

/** Backward through the steps: what is read later, or taken by the host in the end, is alive. */
function findLiveness({ graph, outputs }: BlockProgram): BlockLiveness {
  const always = new Set<number>();
  for (const { id, role } of graph.variables) if (role !== "made" && role !== "data") always.add(id);
  const alive = new Set<number>();
  for (const { variable } of outputs.values()) alive.add(variable.storage);
  const during: Set<number>[] = new Array(graph.steps.length);
  for (let index = graph.steps.length - 1; index >= 0; index--) {
    const { reads, writes, replaces } = accessOf(graph.steps[index]);
    during[index] = new Set([...alive, ...reads, ...writes].filter((storage) => !always.has(storage)));
    for (const storage of replaces) alive.delete(storage);
    for (const storage of reads) alive.add(storage);
  }
  return { always, during };
}

function bytesByTile(variable: BlockVariable, tileCount: number): Float64Array {
  const bytes = new Float64Array(tileCount);
  for (let block = 0; block < variable.layout.count; block++)
    bytes[variable.tiles[block]] += blockBytes(variable, block);
  return bytes;
}

/** Memory of a block program, and how it is refused if it does not fit. */
export class BlockMemory {
  readonly memory: TileMemory;
  readonly #graph: BlockGraph;
  readonly #liveness: BlockLiveness;
  readonly #byStorage: Map<number, Float64Array>;

  constructor(program: BlockProgram, planned: readonly PlannedBlockStep[]) {
    const { graph } = program;
    const { target } = graph;
    this.#graph = graph;
    this.#liveness = findLiveness(program);
    this.#byStorage = new Map();
    const zero = (): Float64Array => new Float64Array(target.tileCount);
    const alwaysLive = this.#sum(this.#liveness.always);
    const vertexCode = zero();
    const present = new Map<string, Uint8Array>();
    for (const { codelet, tiles } of graph.families) {
      let on = present.get(codelet.name);
      if (on === undefined) present.set(codelet.name, (on = new Uint8Array(target.tileCount)));
      for (const tile of tiles) {
        if (on[tile] === 0) vertexCode[tile] += vertexCodeBytes(1);
        on[tile] = 1;
      }
    }
    // A step that is run again is the same code.
    const exchangeCode = zero();
    const distinct = new Set(planned);
    for (const { receivedPieces, sentPieces } of distinct) {
      for (let tile = 0; tile < target.tileCount; tile++) {
        exchangeCode[tile] += exchangeCodeBytes(receivedPieces[tile], sentPieces[tile]);
      }
    }
    const fixed = {
      alwaysLive,
      vertexState: vertexStateBytes(graph),
      vertexCode,
      exchangeCode,
      controlCode: zero().fill(controlCodeBytes(distinct.size)),
    };
    // From step to step little changes: what comes is added, and what goes is taken away.
    const variables = zero();
    let alive: ReadonlySet<number> = new Set();
    const steps = planned.map(({ superstep: { name }, exchangeBytes }, index): StepMemory => {
      const next = this.#liveness.during[index];
      for (const storage of next) if (!alive.has(storage)) addTo(variables, this.#bytesOf(storage), 1);
      for (const storage of alive) if (!next.has(storage)) addTo(variables, this.#bytesOf(storage), -1);
      alive = next;
      return { name, variables: variables.slice(), exchange: exchangeBytes };
    });
    this.memory = tileMemory(target, fixed, steps);
  }

  /** @throws OutOfMemoryError about the tile that needs most */
  check(): void {
    checkFit(this.memory, (tile, step) =>
      [...this.#liveness.always, ...(this.#liveness.during[step] ?? [])].map((storage) => ({
        name: `"${this.#graph.variables[storage].name}"`,
        bytes: this.#bytesOf(storage)[tile],
      })),
    );
  }

  #bytesOf(storage: number): Float64Array {
    let bytes = this.#byStorage.get(storage);
    if (bytes === undefined) {
      this.#byStorage.set(storage, (bytes = bytesByTile(this.#graph.variables[storage], this.#graph.target.tileCount)));
    }
    return bytes;
  }

  #sum(storages: ReadonlySet<number>): Float64Array {
    const sum = new Float64Array(this.#graph.target.tileCount);
    for (const storage of storages) addTo(sum, this.#bytesOf(storage), 1);
    return sum;
  }
}

function addTo(sum: Float64Array, bytes: Float64Array, sign: 1 | -1): void {
  for (let tile = 0; tile < sum.length; tile++) sum[tile] += sign * bytes[tile];
}
