import {
  type BlockGraph,
  type BlockStep,
  blockBytes,
  type Codelet,
  columnStart,
  elementBytes,
  stateAt,
  type VectorsSize,
  type VertexFamily,
} from "../graph/index.ts";
import { linkCyclesOf, type Superstep } from "./superstep.ts";

/** A step of a block program as supersteps, and what it needs besides variables. */
export interface PlannedBlockStep {
  readonly superstep: Superstep;
  /** Bytes a tile of what arrives to be read. */
  readonly exchangeBytes: Float64Array;
  /** Blocks a tile that arrive, and that leave: each takes instructions of the exchange. */
  readonly receivedPieces: Uint32Array;
  readonly sentPieces: Uint32Array;
}

/** Plans the steps of one block graph; buffers of the size of the graph are made once. */
export class BlockStepPlanner {
  readonly #graph: BlockGraph;
  // The last reading tile's and sending step's mark of each block, so that a block arrives once a tile and leaves once.
  readonly #received: Uint32Array;
  readonly #sent: Uint32Array;
  #mark = 0;

  constructor(graph: BlockGraph) {
    this.#graph = graph;
    this.#received = new Uint32Array(graph.blockCount);
    this.#sent = new Uint32Array(graph.blockCount);
  }

  plan(step: BlockStep): PlannedBlockStep {
    return step.kind === "execute" ? this.#planExecute(step.family) : this.#planCopy(step);
  }

  #planExecute(family: VertexFamily): PlannedBlockStep {
    const traffic = new Traffic(this.#graph);
    const sending = ++this.#mark;
    const { order, starts } = byTile(family.tiles, this.#graph.target.tileCount);
    for (let tile = 0; tile + 1 < starts.length; tile++) {
      if (starts[tile] === starts[tile + 1]) continue;
      const receiving = ++this.#mark;
      for (const column of family.inputs) {
        const { variable, blocks } = column;
        const { tiles, firstBlock, layout } = variable;
        const bytes = layout.uniform ? blockBytes(variable, 0) : -1;
        for (let index = starts[tile]; index < starts[tile + 1]; index++) {
          const end = columnStart(column, order[index] + 1);
          for (let place = columnStart(column, order[index]); place < end; place++) {
            const block = blocks[place];
            const source = tiles[block - firstBlock];
            if (source === tile || this.#received[block] === receiving) continue;
            this.#received[block] = receiving;
            const size = bytes >= 0 ? bytes : blockBytes(variable, block - firstBlock);
            traffic.receive(source, tile, size, this.#sent[block] < sending);
            this.#sent[block] = receiving;
          }
        }
      }
    }
    return traffic.finish(family.name, computeCycles(this.#graph, family));
  }

  #planCopy({ name, from, to }: Extract<BlockStep, { kind: "copy" }>): PlannedBlockStep {
    const traffic = new Traffic(this.#graph);
    const local = new Float64Array(this.#graph.target.tileCount);
    for (let block = 0; block < from.layout.count; block++) {
      const bytes = blockBytes(from, block);
      if (from.tiles[block] === to.tiles[block]) local[to.tiles[block]] += bytes;
      else traffic.receive(from.tiles[block], to.tiles[block], bytes, true);
    }
    const { localCopyBytesPerCycle } = this.#graph.target;
    const cycles = Uint32Array.from(local, (bytes) => Math.ceil(bytes / localCopyBytesPerCycle));
    // What is copied goes straight to where it stays.
    return { ...traffic.finish(name, cycles), exchangeBytes: new Float64Array(this.#graph.target.tileCount) };
  }
}

/** Sums of what tiles exchange. */
class Traffic {
  readonly #graph: BlockGraph;
  readonly #received: Float64Array;
  readonly #sent: Float64Array;
  readonly #receivedPieces: Uint32Array;
  readonly #sentPieces: Uint32Array;
  readonly #links: Float64Array;

  constructor(graph: BlockGraph) {
    const { tileCount, chips = 1 } = graph.target;
    this.#graph = graph;
    this.#received = new Float64Array(tileCount);
    this.#sent = new Float64Array(tileCount);
    this.#receivedPieces = new Uint32Array(tileCount);
    this.#sentPieces = new Uint32Array(tileCount);
    this.#links = new Float64Array(chips);
  }

  /** A block arrives; `first` says that it has not been sent to another tile yet, who would have listened as well. */
  receive(source: number, tile: number, bytes: number, first: boolean): void {
    this.#received[tile] += bytes;
    this.#receivedPieces[tile]++;
    if (first) {
      this.#sent[source] += bytes;
      this.#sentPieces[source]++;
    }
    if (this.#links.length === 1) return;
    const tilesPerChip = this.#received.length / this.#links.length;
    const [from, to] = [Math.floor(source / tilesPerChip), Math.floor(tile / tilesPerChip)];
    if (from !== to) this.#links[from] += bytes;
  }

  finish(name: string, computeCycles: Uint32Array): PlannedBlockStep {
    const { target } = this.#graph;
    const exchangeCycles = Uint32Array.from(this.#received, (bytes, tile) =>
      Math.ceil(Math.max(bytes, this.#sent[tile]) / target.exchangeBytesPerCycle),
    );
    const exchangedBytes = this.#received.reduce((sum, bytes) => sum + bytes, 0);
    const linkBytes = this.#links.reduce((sum, bytes) => sum + bytes, 0);
    const linkCycles = linkCyclesOf(this.#links, target);
    const slowest = Math.max(largest(exchangeCycles), linkCycles);
    const superstep: Superstep = {
      name,
      syncCycles: target.syncCycles,
      exchangeCycles,
      computeCycles,
      exchangedBytes,
      linkBytes,
      linkCycles,
      hostBytes: 0,
      hostCycles: 0,
      cycles: target.syncCycles + slowest + largest(computeCycles),
    };
    return {
      superstep,
      exchangeBytes: this.#received,
      receivedPieces: this.#receivedPieces,
      sentPieces: this.#sentPieces,
    };
  }
}

/** The vertices in the order of their tiles, and where each tile's begin. */
function byTile(tiles: Uint16Array, tileCount: number): { readonly order: Uint32Array; readonly starts: Uint32Array } {
  const starts = new Uint32Array(tileCount + 1);
  for (const tile of tiles) starts[tile + 1]++;
  for (let tile = 0; tile < tileCount; tile++) starts[tile + 1] += starts[tile];
  const next = starts.slice();
  const order = new Uint32Array(tiles.length);
  for (let vertex = 0; vertex < tiles.length; vertex++) order[next[tiles[vertex]]++] = vertex;
  return { order, starts };
}

/**
 * Cycles a tile takes for its vertices. Those of one worker go, in order, to the worker that is free first, and a
 * worker's cycle is as many of the tile as there are workers; those of all workers have the tile for themselves.
 */
function computeCycles(graph: BlockGraph, family: VertexFamily): Uint32Array {
  const { tileCount, workersPerTile } = graph.target;
  const cycles = new Uint32Array(tileCount);
  const estimates = new Estimates(graph, family);
  if (family.codelet.workers === "all") {
    for (let vertex = 0; vertex < family.count; vertex++) cycles[family.tiles[vertex]] += estimates.of(vertex);
    return cycles;
  }
  const workers = new Float64Array(tileCount * workersPerTile);
  for (let vertex = 0; vertex < family.count; vertex++) {
    const first = family.tiles[vertex] * workersPerTile;
    let free = first;
    for (let worker = first + 1; worker < first + workersPerTile; worker++) {
      if (workers[worker] < workers[free]) free = worker;
    }
    workers[free] += estimates.of(vertex);
  }
  for (let tile = 0; tile < tileCount; tile++) {
    const own = workers.subarray(tile * workersPerTile, (tile + 1) * workersPerTile);
    cycles[tile] = workersPerTile * largest(own);
  }
  return cycles;
}

/** What vertices of a family cost; those with the same sizes and states are asked once. */
class Estimates {
  readonly #graph: BlockGraph;
  readonly #family: VertexFamily;
  readonly #known = new Map<string, number>();

  constructor(graph: BlockGraph, family: VertexFamily) {
    this.#graph = graph;
    this.#family = family;
  }

  of(vertex: number): number {
    const { codelet, inputs, outputs, states, name, firstVertex } = this.#family;
    const sizes: Record<string, number | { length: number } | VectorsSize> = {};
    let key = "";
    for (const column of [...inputs, ...outputs]) {
      const { field, variable, blocks } = column;
      const start = columnStart(column, vertex);
      const length = columnStart(column, vertex + 1) - start;
      let elements = 0;
      if (variable.layout.uniform && length > 0) elements = length * variable.layout.elementsOf(0);
      else {
        for (let place = start; place < start + length; place++) {
          elements += variable.layout.elementsOf(blocks === null ? place : blocks[place] - variable.firstBlock);
        }
      }
      const declared = codelet.fields[field];
      const list = declared.kind === "edge" && declared.extent === "vectors";
      sizes[field] = list ? { length, elements } : { length: elements };
      key += `${length}:${elements},`;
    }
    for (const field of Object.keys(states)) {
      const value = stateAt(states[field], vertex);
      sizes[field] = value;
      key += `${value},`;
    }
    let cycles = this.#known.get(key);
    if (cycles !== undefined) return cycles;
    cycles = codelet.cycles(sizes as Parameters<Codelet["cycles"]>[0], this.#graph.target);
    if (!Number.isSafeInteger(cycles) || cycles < 0) {
      throw new Error(
        `vertex ${firstVertex + vertex}, ${name}/${codelet.name}: an estimate must be a whole number of cycles ≥ 0, got ${cycles}; round it in the codelet`,
      );
    }
    this.#known.set(key, cycles);
    return cycles;
  }
}

/** Bytes of a vertex in its tile's memory: an address and a length for each block, a word for each number and itself. */
export function vertexStateBytes(graph: BlockGraph): Float64Array {
  const words = new Float64Array(graph.target.tileCount);
  for (const family of graph.families) {
    const states = Object.keys(family.states).length;
    for (let vertex = 0; vertex < family.count; vertex++) {
      let own = 1 + states;
      for (const column of [...family.inputs, ...family.outputs]) {
        const declared = family.codelet.fields[column.field];
        const blocks = columnStart(column, vertex + 1) - columnStart(column, vertex);
        const extent = declared.kind === "edge" ? declared.extent : "scalar";
        own += extent === "scalar" ? 1 : extent === "vector" ? 2 : 2 + 2 * blocks;
      }
      words[family.tiles[vertex]] += own;
    }
  }
  return words.map((count) => count * elementBytes.int);
}

function largest(values: Uint32Array | Float64Array): number {
  let found = 0;
  for (const value of values) if (value > found) found = value;
  return found;
}
