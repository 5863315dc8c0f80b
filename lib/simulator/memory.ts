import type { Codelet, Graph } from "../graph/index.ts";
import type { Liveness } from "./liveness.ts";
import type { PlannedStep } from "./superstep.ts";

/** Bytes a tile, indexed by tile, while one step of the program runs, besides what is always there. */
export interface StepMemory {
  readonly name: string;
  /** Variables that are alive during the step and not always. */
  readonly variables: Float64Array;
  /** What has arrived to be read, and results that are to leave. */
  readonly exchange: Float64Array;
}

/** Where the bytes of every tile go. For each step: always live + vertex state + the step's own = what a tile needs. */
export interface TileMemory {
  readonly kind: "tile-memory";
  readonly device: string;
  readonly bytesPerTile: number;
  /** Bytes a tile of variables that keep their memory from run to run. */
  readonly alwaysLive: Float64Array;
  /** Bytes a tile of vertices themselves: their pointers, lengths and numbers. */
  readonly vertexState: Float64Array;
  readonly steps: readonly StepMemory[];
  /** The most that each tile needs in any step. */
  readonly peak: Float64Array;
}

/** A buffer on a tile, by the variable that it is part of. */
export interface TileBuffer {
  readonly name: string;
  readonly bytes: number;
}

/** A tile needs more than it has. The profile tells of all tiles and steps, that one's as well. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  readonly tile: number;
  readonly neededBytes: number;
  readonly availableBytes: number;
  /** Where the need is greatest: the name of the step's first superstep. */
  readonly superstep: string;
  /** The largest buffers on the tile then, largest first. */
  readonly largest: readonly TileBuffer[];
  readonly memory: TileMemory;

  constructor(tile: number, superstep: string, largest: readonly TileBuffer[], memory: TileMemory) {
    const needed = memory.peak[tile];
    const shown = largest.map(({ name, bytes }) => `${name} ${count(bytes)} B`).join(", ");
    super(
      `memory of tile ${tile}: a tile of ${memory.device} has ${count(memory.bytesPerTile)} B, got ${count(needed)} B needed, ${count(needed - memory.bytesPerTile)} B too many (superstep "${superstep}"; largest: ${shown}); spread the tensors over more tiles, or free some earlier`,
    );
    this.tile = tile;
    this.neededBytes = needed;
    this.availableBytes = memory.bytesPerTile;
    this.superstep = superstep;
    this.largest = largest;
    this.memory = memory;
  }
}

// What a vertex takes in memory, laid out as plain 32-bit fields: the codelet's address, an address for each
// connection and its length if it is a vector or a list of them, and each number. Real compilers pack addresses tighter.
const wordBytes = 4;

/** Bytes of a vertex but for its lists of vectors. */
function vertexBytes({ fields }: Codelet): number {
  let words = 1;
  for (const field of Object.values(fields)) words += field.kind === "edge" && field.extent !== "scalar" ? 2 : 1;
  return words * wordBytes;
}

/** Bytes of a vertex's lists of vectors: an address and a length each. */
function listBytes({ vertices }: Graph, vertex: number): number {
  let vectors = 0;
  for (let field = 0; field < vertices.fieldsOf(vertex).length; field++) vectors += vertices.vectorsOf(vertex, field);
  return vectors * 2 * wordBytes;
}

/** Sums the bytes of every tile in every step. */
export function measureMemory(graph: Graph, liveness: Liveness, planned: readonly PlannedStep[]): TileMemory {
  const { target, vertices } = graph;
  const zero = (): Float64Array => new Float64Array(target.tileCount);
  const alwaysLive = zero();
  for (const variable of liveness.alwaysLive) addVariable(graph, variable, alwaysLive);
  const vertexState = zero();
  const bytes = new Map<Codelet, number>();
  for (let vertex = 0; vertex < vertices.count; vertex++) {
    const codelet = vertices.codeletOf(vertex);
    let own = bytes.get(codelet);
    if (own === undefined) bytes.set(codelet, (own = vertexBytes(codelet)));
    vertexState[vertices.tileOf(vertex)] += own + listBytes(graph, vertex);
  }
  const fixed = alwaysLive.map((own, tile) => own + vertexState[tile]);
  const peak = fixed.slice();
  const steps = planned.map(({ supersteps, exchangeBytes }, index): StepMemory => {
    const variables = zero();
    for (const variable of liveness.liveDuring[index]) addVariable(graph, variable, variables);
    for (let tile = 0; tile < target.tileCount; tile++) {
      peak[tile] = Math.max(peak[tile], fixed[tile] + variables[tile] + exchangeBytes[tile]);
    }
    return { name: supersteps[0]?.name ?? "print", variables, exchange: exchangeBytes };
  });
  const { name: device, bytesPerTile } = target;
  return { kind: "tile-memory", device, bytesPerTile, alwaysLive, vertexState, steps, peak };
}

/**
 * Refuses a program that does not fit.
 *
 * @throws OutOfMemoryError about the tile that needs most
 */
export function checkMemory(graph: Graph, liveness: Liveness, memory: TileMemory): void {
  let tile = 0;
  for (let other = 1; other < memory.peak.length; other++) if (memory.peak[other] > memory.peak[tile]) tile = other;
  if (memory.peak[tile] <= memory.bytesPerTile) return;
  const need = (index: number): number => {
    const { variables, exchange } = memory.steps[index];
    return memory.alwaysLive[tile] + memory.vertexState[tile] + variables[tile] + exchange[tile];
  };
  const worst = memory.steps.findIndex((_, index) => need(index) === memory.peak[tile]);
  const alive = new Set([...liveness.alwaysLive, ...(liveness.liveDuring[worst] ?? [])]);
  const buffers: TileBuffer[] = [...alive].map((variable) => {
    const sums = new Float64Array(memory.peak.length);
    addVariable(graph, variable, sums);
    return { name: `"${graph.variables.all[variable].name}"`, bytes: sums[tile] };
  });
  buffers.push({ name: "vertices", bytes: memory.vertexState[tile] });
  if (worst >= 0) buffers.push({ name: "exchange", bytes: memory.steps[worst].exchange[tile] });
  const largest = buffers.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  throw new OutOfMemoryError(tile, memory.steps[worst]?.name ?? "load", largest.slice(0, 5), memory);
}

function addVariable(graph: Graph, variable: number, tiles: Float64Array): void {
  const { mapping, bytes, elements } = graph.variables.all[variable];
  for (const { start, end, tile } of mapping.intervals) tiles[tile] += ((end - start) * bytes) / elements;
}

function count(bytes: number): string {
  return bytes.toLocaleString("en-US");
}
