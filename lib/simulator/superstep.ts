import {
  type Codelet,
  describeOutside,
  elementBytes,
  type Graph,
  type Outside,
  type Row,
  type Target,
  type TensorView,
  type VectorsSize,
} from "../graph/index.ts";
import { ExchangePlanner, type ExchangeTraffic } from "./exchange.ts";

/**
 * A superstep of the bulk-synchronous machine: all tiles wait for each other, exchange, then compute on their own.
 * Cycles of a phase are those of its slowest tile, as the others wait for it.
 */
export interface Superstep {
  /** The debug path of the compute set, or what else is done. */
  readonly name: string;
  readonly syncCycles: number;
  /** Cycles a tile, indexed by tile. */
  readonly exchangeCycles: Uint32Array;
  /** Cycles a tile, indexed by tile. */
  readonly computeCycles: Uint32Array;
  /** Bytes that tiles receive from others, all together. */
  readonly exchangedBytes: number;
  /** Of these, bytes that go from chip to chip, and the cycles of the chip whose links have most to send. */
  readonly linkBytes: number;
  readonly linkCycles: number;
  /** Bytes that come from the host or go there, or to a remote buffer and from it, and the cycles that takes. */
  readonly hostBytes: number;
  readonly hostCycles: number;
  /** Cycles from the synchronisation to the end of the last tile's computation. */
  readonly cycles: number;
}

/** The supersteps that one step of a program takes, and the memory that they need besides variables. */
export interface PlannedStep {
  readonly supersteps: readonly Superstep[];
  /** Bytes a tile for what arrives from others to be read, and for results that belong on others. */
  readonly exchangeBytes: Float64Array;
  /** Pieces a tile that arrive, and that leave: consecutive elements of one variable, between two tiles. */
  readonly receivedPieces: Uint32Array;
  readonly sentPieces: Uint32Array;
}

/** A compute set: what is read arrives, vertices run, and results go to where their elements lie. */
export function planExecute(graph: Graph, name: string, members: Uint32Array): PlannedStep {
  const { vertices } = graph;
  const reads = new ExchangePlanner(graph);
  const writes = new ExchangePlanner(graph);
  for (const vertex of members) {
    const tile = vertices.tileOf(vertex);
    for (const [place, [, field]] of vertices.fieldsOf(vertex).entries()) {
      if (field.kind === "state") continue;
      vertices.forEachRun(vertex, place, (variable, start, count, step) => {
        if (field.direction !== "output") reads.read(tile, variable, start, count, step);
        if (field.direction !== "input") writes.write(tile, variable, start, count, step);
      });
    }
  }
  const before = reads.finish();
  const after = writes.finish();
  const supersteps = [makeSuperstep(graph, name, before, computeCycles(graph, members))];
  if (after.sentBytes.some((bytes) => bytes > 0)) supersteps.push(makeSuperstep(graph, `${name} (results)`, after));
  return {
    supersteps,
    exchangeBytes: before.receivedBytes.map((bytes, tile) => bytes + after.sentBytes[tile]),
    receivedPieces: before.receivedPieces.map((pieces, tile) => pieces + after.receivedPieces[tile]),
    sentPieces: before.sentPieces.map((pieces, tile) => pieces + after.sentPieces[tile]),
  };
}

/** A copy: elements go straight to their destination, and need no other room. */
export function planCopy(graph: Graph, source: TensorView, destination: TensorView): PlannedStep {
  const planner = new ExchangePlanner(graph);
  planner.copy(source.runs, destination.runs);
  const traffic = planner.finish();
  const { localCopyBytesPerCycle } = graph.target;
  const cycles = Uint32Array.from(traffic.localBytes, (bytes) => Math.ceil(bytes / localCopyBytesPerCycle));
  const name = `copy ${source.describe()} to ${destination.describe()}`;
  return {
    supersteps: [makeSuperstep(graph, name, traffic, cycles)],
    exchangeBytes: new Float64Array(graph.target.tileCount),
    receivedPieces: traffic.receivedPieces,
    sentPieces: traffic.sentPieces,
  };
}

/** A tensor that comes from outside or goes there: each chip has lanes of its own, and tiles take what exchange takes. */
export function planOutside(
  graph: Graph,
  { outside, tensor, row }: { readonly outside: Outside; readonly tensor: TensorView; readonly row: Row },
  way: "in" | "out",
): PlannedStep {
  const { target, variables } = graph;
  const { tileCount, chips = 1, clockHz, hostBytesPerSecond } = target;
  const tileBytes = new Float64Array(tileCount);
  const chipBytes = new Float64Array(chips);
  const pieces = new Uint32Array(tileCount);
  const add = (variable: number, start: number, end: number): void => {
    const { mapping, type } = variables.all[variable];
    for (const place of mapping.between(start, end)) {
      const bytes = (place.end - place.start) * elementBytes[type];
      tileBytes[place.tile] += bytes;
      chipBytes[Math.floor((place.tile * chips) / tileCount)] += bytes;
      pieces[place.tile]++;
    }
  };
  for (const { variable, start, count, step } of tensor.runs) {
    if (step === 1) add(variable, start, start + count);
    else for (let i = 0; i < count; i++) add(variable, start + i * step, start + i * step + 1);
  }
  const { exchangeBytesPerCycle, syncCycles } = target;
  const exchangeCycles = Uint32Array.from(tileBytes, (bytes) => Math.ceil(bytes / exchangeBytesPerCycle));
  const hostCycles = Math.ceil((largest(chipBytes) / hostBytesPerSecond) * clockHz);
  const [from, to] = [describeOutside(outside), tensor.describe()];
  const superstep: Superstep = {
    name: way === "in" ? `copy ${from} to ${to}` : `copy ${to} to ${from}`,
    syncCycles,
    exchangeCycles,
    computeCycles: new Uint32Array(tileCount),
    exchangedBytes: 0,
    linkBytes: 0,
    linkCycles: 0,
    hostBytes: tileBytes.reduce((sum, bytes) => sum + bytes, 0),
    hostCycles,
    cycles: syncCycles + Math.max(largest(exchangeCycles), hostCycles),
  };
  const told = typeof row === "number" ? [] : planCondition(graph, row).supersteps;
  return {
    supersteps: [...told, superstep],
    exchangeBytes: new Float64Array(tileCount),
    receivedPieces: pieces,
    sentPieces: new Uint32Array(tileCount),
  };
}

/** A condition: every tile is told the element, as each runs the control program for itself. */
export function planCondition(graph: Graph, predicate: TensorView): PlannedStep {
  const planner = new ExchangePlanner(graph);
  for (let tile = 0; tile < graph.target.tileCount; tile++) {
    for (const { variable, start, count, step } of predicate.runs) planner.read(tile, variable, start, count, step);
  }
  const traffic = planner.finish();
  return {
    supersteps: [makeSuperstep(graph, `condition ${predicate.describe()}`, traffic)],
    exchangeBytes: traffic.receivedBytes,
    receivedPieces: traffic.receivedPieces,
    sentPieces: traffic.sentPieces,
  };
}

function makeSuperstep(
  { target }: Graph,
  name: string,
  { receivedBytes, sentBytes, linkSentBytes }: ExchangeTraffic,
  computeCycles: Uint32Array = new Uint32Array(target.tileCount),
): Superstep {
  const exchangeCycles = Uint32Array.from(receivedBytes, (received, tile) =>
    Math.ceil(Math.max(received, sentBytes[tile]) / target.exchangeBytesPerCycle),
  );
  const { syncCycles } = target;
  const linkBytes = linkSentBytes.reduce((sum, bytes) => sum + bytes, 0);
  const linkCycles = linkCyclesOf(linkSentBytes, target);
  return {
    name,
    syncCycles,
    exchangeCycles,
    computeCycles,
    exchangedBytes: receivedBytes.reduce((sum, bytes) => sum + bytes, 0),
    linkBytes,
    linkCycles,
    hostBytes: 0,
    hostCycles: 0,
    cycles: syncCycles + Math.max(largest(exchangeCycles), linkCycles) + largest(computeCycles),
  };
}

/** Cycles of the chip that has most to send over its links. */
export function linkCyclesOf(
  sentBytes: Float64Array,
  { linkBytesPerCycle = Number.POSITIVE_INFINITY }: Target,
): number {
  return Math.ceil(largest(sentBytes) / linkBytesPerCycle);
}

/**
 * Cycles a tile takes for its vertices. Those of one worker go, in order, to the worker that is free first, and a
 * worker's cycle is as many of the tile as there are workers; those of all workers have the tile for themselves.
 */
function computeCycles(graph: Graph, members: Uint32Array): Uint32Array {
  const { tileCount, workersPerTile } = graph.target;
  const workers = new Float64Array(tileCount * workersPerTile);
  const supervisors = new Float64Array(tileCount);
  for (const vertex of members) {
    const tile = graph.vertices.tileOf(vertex);
    const cycles = graph.vertices.estimateOf(vertex) ?? estimate(graph, vertex);
    if (graph.vertices.codeletOf(vertex).workers === "all") {
      supervisors[tile] += cycles;
      continue;
    }
    let free = tile * workersPerTile;
    for (let worker = free + 1; worker < (tile + 1) * workersPerTile; worker++) {
      if (workers[worker] < workers[free]) free = worker;
    }
    workers[free] += cycles;
  }
  return Uint32Array.from(supervisors, (cycles, tile) => {
    const own = workers.subarray(tile * workersPerTile, (tile + 1) * workersPerTile);
    return cycles + workersPerTile * largest(own);
  });
}

/** What the vertex's codelet says it costs. */
function estimate(graph: Graph, vertex: number): number {
  const { vertices, target } = graph;
  const sizes: Record<string, number | { length: number } | VectorsSize> = {};
  for (const [place, [name, field]] of vertices.fieldsOf(vertex).entries()) {
    if (field.kind === "state") sizes[name] = vertices.stateOf(vertex, place);
    else {
      const elements = vertices.lengthOf(vertex, place);
      sizes[name] =
        field.extent === "vectors" ? { length: vertices.vectorsOf(vertex, place), elements } : { length: elements };
    }
  }
  let cycles: number;
  try {
    cycles = vertices.codeletOf(vertex).cycles(sizes as Parameters<Codelet["cycles"]>[0], target);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${graph.describeVertex(vertex)}: its codelet must estimate what it costs, got "${reason}"; correct the codelet or what its fields are connected to`,
      { cause: error },
    );
  }
  if (!Number.isSafeInteger(cycles) || cycles < 0) {
    throw new Error(
      `${graph.describeVertex(vertex)}: an estimate must be a whole number of cycles ≥ 0, got ${cycles}; round it in the codelet`,
    );
  }
  return cycles;
}

function largest(values: Uint32Array | Float64Array): number {
  let found = 0;
  for (const value of values) if (value > found) found = value;
  return found;
}
