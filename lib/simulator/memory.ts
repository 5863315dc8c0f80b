import type { Codelet, Graph, Target } from "../graph/index.ts";
import { controlCodeBytes, exchangeCodeBytes, vertexCodeBytes } from "./code.ts";
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

/** Bytes a tile that a program needs in all of its steps. */
export interface FixedMemory {
  /** Variables that keep their memory from run to run. */
  readonly alwaysLive: Float64Array;
  /** Vertices themselves: their pointers, lengths and numbers. */
  readonly vertexState: Float64Array;
  /** Codelets, by an assumption of ours. */
  readonly vertexCode: Float64Array;
  /** Instructions of the exchange, by an assumption of ours. */
  readonly exchangeCode: Float64Array;
  /** The control program, by an assumption of ours. */
  readonly controlCode: Float64Array;
}

/** Where the bytes of every tile go. For each step: what is fixed + the step's own = what a tile needs. */
export interface TileMemory extends FixedMemory {
  readonly kind: "tile-memory";
  readonly device: string;
  readonly bytesPerTile: number;
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
  const vertexCode = zero();
  const bytes = new Map<Codelet, number>();
  const present = new Map<Codelet, Uint8Array>();
  for (let vertex = 0; vertex < vertices.count; vertex++) {
    const codelet = vertices.codeletOf(vertex);
    const tile = vertices.tileOf(vertex);
    let own = bytes.get(codelet);
    if (own === undefined) {
      bytes.set(codelet, (own = vertexBytes(codelet)));
      present.set(codelet, new Uint8Array(target.tileCount));
    }
    vertexState[tile] += own + listBytes(graph, vertex);
    const tiles = present.get(codelet) as Uint8Array;
    if (tiles[tile] === 0) vertexCode[tile] += vertexCodeBytes(1);
    tiles[tile] = 1;
  }
  const exchangeCode = zero();
  let supersteps = 0;
  for (const step of planned) {
    supersteps += step.supersteps.length;
    for (let tile = 0; tile < target.tileCount; tile++) {
      exchangeCode[tile] += exchangeCodeBytes(step.receivedPieces[tile], step.sentPieces[tile]);
    }
  }
  const controlCode = zero().fill(controlCodeBytes(supersteps));
  const steps = planned.map((step, index): StepMemory => {
    const variables = zero();
    for (const variable of liveness.liveDuring[index]) addVariable(graph, variable, variables);
    return { name: step.supersteps[0]?.name ?? "print", variables, exchange: step.exchangeBytes };
  });
  return tileMemory(target, { alwaysLive, vertexState, vertexCode, exchangeCode, controlCode }, steps);
}

/** Puts together what is fixed and what steps need. */
export function tileMemory(
  { name: device, bytesPerTile }: Target,
  fixed: FixedMemory,
  steps: readonly StepMemory[],
): TileMemory {
  const always = fixedBytes(fixed);
  const peak = always.slice();
  for (const { variables, exchange } of steps) {
    for (let tile = 0; tile < peak.length; tile++) {
      peak[tile] = Math.max(peak[tile], always[tile] + variables[tile] + exchange[tile]);
    }
  }
  return { kind: "tile-memory", device, bytesPerTile, ...fixed, steps, peak };
}

/** Bytes a tile of all that is fixed. */
export function fixedBytes(fixed: FixedMemory): Float64Array {
  const { alwaysLive, vertexState, vertexCode, exchangeCode, controlCode } = fixed;
  return alwaysLive.map(
    (bytes, tile) => bytes + vertexState[tile] + vertexCode[tile] + exchangeCode[tile] + controlCode[tile],
  );
}

/**
 * Refuses a program that does not fit.
 *
 * @param buffersOf what lies on a tile during a step, besides what the memory says of it itself
 * @throws OutOfMemoryError about the tile that needs most
 */
export function checkFit(memory: TileMemory, buffersOf: (tile: number, step: number) => readonly TileBuffer[]): void {
  let tile = 0;
  for (let other = 1; other < memory.peak.length; other++) if (memory.peak[other] > memory.peak[tile]) tile = other;
  if (memory.peak[tile] <= memory.bytesPerTile) return;
  const always = fixedBytes(memory)[tile];
  const worst = memory.steps.findIndex(
    ({ variables, exchange }) => always + variables[tile] + exchange[tile] === memory.peak[tile],
  );
  const buffers: TileBuffer[] = [
    ...buffersOf(tile, worst),
    { name: "vertices", bytes: memory.vertexState[tile] },
    { name: "codelets", bytes: memory.vertexCode[tile] },
    { name: "exchange code", bytes: memory.exchangeCode[tile] },
    { name: "control code", bytes: memory.controlCode[tile] },
  ];
  if (worst >= 0) buffers.push({ name: "exchange", bytes: memory.steps[worst].exchange[tile] });
  const largest = buffers.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  throw new OutOfMemoryError(tile, memory.steps[worst]?.name ?? "load", largest.slice(0, 5), memory);
}

/** Refuses a graph and program that do not fit. */
export function checkMemory(graph: Graph, liveness: Liveness, memory: TileMemory): void {
  checkFit(memory, (tile, step) => {
    const alive = new Set([...liveness.alwaysLive, ...(liveness.liveDuring[step] ?? [])]);
    return [...alive].map((variable) => {
      const sums = new Float64Array(memory.peak.length);
      addVariable(graph, variable, sums);
      return { name: `"${graph.variables.all[variable].name}"`, bytes: sums[tile] };
    });
  });
}

function addVariable(graph: Graph, variable: number, tiles: Float64Array): void {
  const { mapping, bytes, elements } = graph.variables.all[variable];
  for (const { start, end, tile } of mapping.intervals) tiles[tile] += ((end - start) * bytes) / elements;
}

/** A memory report as text: bytes by category on all tiles and on the fullest, and the steps that need most. */
export function formatTileMemory(memory: TileMemory, shownSteps = 10): string {
  const { device, bytesPerTile, peak, steps } = memory;
  const total = (bytes: Float64Array): number => bytes.reduce((sum, own) => sum + own, 0);
  const fullest = peak.reduce((found, bytes, tile) => (bytes > peak[found] ? tile : found), 0);
  const rows: (readonly [string, Float64Array])[] = [
    ["variables, always live", memory.alwaysLive],
    ["vertex state", memory.vertexState],
    ["vertex code", memory.vertexCode],
    ["exchange code", memory.exchangeCode],
    ["control code", memory.controlCode],
  ];
  const line = (name: string, all: number, own: number): string =>
    `${name.padEnd(width)}  ${count(all).padStart(15)}  ${count(own).padStart(15)}`;
  const needed = steps.map(({ name, variables, exchange }, step) => ({
    name: `${step} ${name}`,
    all: total(variables) + total(exchange),
    own: variables[fullest] + exchange[fullest],
  }));
  const most = needed.sort((a, b) => b.all - a.all).slice(0, shownSteps);
  const width = Math.max(22, ...most.map(({ name }) => name.length));
  const heads = `${"bytes".padEnd(width)}  ${"all tiles".padStart(15)}  ${`tile ${fullest}`.padStart(15)}`;
  return [
    `${device}: fullest is tile ${fullest} with ${count(peak[fullest])} of ${count(bytesPerTile)} B; ${count(total(peak))} B on all ${peak.length} tiles at their peaks`,
    heads,
    ...rows.map(([name, bytes]) => line(name, total(bytes), bytes[fullest])),
    `besides, in the ${most.length} of ${steps.length} steps that need most:`,
    ...most.map(({ name, all, own }) => line(name, all, own)),
  ].join("\n");
}

function count(bytes: number): string {
  return bytes.toLocaleString("en-US");
}
