import { elementBytes, type Graph, type Run } from "../graph/index.ts";

/** What an exchange moves, in bytes per tile. */
export interface ExchangeTraffic {
  readonly receivedBytes: Float64Array;
  /** What tiles send; once, however many receive it, as the exchange delivers one sending to all who listen. */
  readonly sentBytes: Float64Array;
  /** What lies on the receiving tile already and is copied there; only copies move such bytes. */
  readonly localBytes: Float64Array;
  /** Pieces that tiles receive and send: consecutive elements of one variable, between two tiles. */
  readonly receivedPieces: Uint32Array;
  readonly sentPieces: Uint32Array;
  /** Bytes that each chip sends to others, once for each tile that receives them. */
  readonly linkSentBytes: Float64Array;
}

/** Elements of a variable that belong to a tile: to be received by it, or sent. */
interface Claim {
  readonly tile: number;
  readonly variable: number;
  readonly start: number;
  readonly end: number;
}

/** Gathers what tiles need from each other before or after a superstep, and sums it. */
export class ExchangePlanner {
  readonly #graph: Graph;
  readonly #needs: Claim[] = [];
  readonly #sends: Claim[] = [];
  readonly #received: Float64Array;
  readonly #sent: Float64Array;
  readonly #local: Float64Array;
  readonly #links: Float64Array;
  readonly #receivedPieces: Uint32Array;
  readonly #sentPieces: Uint32Array;

  constructor(graph: Graph) {
    this.#graph = graph;
    const { tileCount, chips = 1 } = graph.target;
    this.#received = new Float64Array(tileCount);
    this.#sent = new Float64Array(tileCount);
    this.#local = new Float64Array(tileCount);
    this.#links = new Float64Array(chips);
    this.#receivedPieces = new Uint32Array(tileCount);
    this.#sentPieces = new Uint32Array(tileCount);
  }

  /** A tile needs these elements to read them. What several vertices of a tile need arrives once. */
  read(tile: number, variable: number, start: number, count: number, step: number): void {
    if (step === 1 || step === 0) {
      this.#needs.push({ tile, variable, start, end: start + (step === 0 ? Math.min(1, count) : count) });
    } else {
      for (let i = 0; i < count; i++) this.read(tile, variable, start + i * step, 1, 1);
    }
  }

  /** A tile has computed these elements, and sends them to where they lie. */
  write(tile: number, variable: number, start: number, count: number, step: number): void {
    if (step !== 1) {
      for (let i = 0; i < count; i++) this.write(tile, variable, start + i * step, 1, 1);
      return;
    }
    const size = this.#elementBytes(variable);
    for (const place of this.#mapping(variable).between(start, start + count)) {
      if (place.tile === tile) continue;
      this.#send(tile, (place.end - place.start) * size);
      this.#receive(tile, place.tile, (place.end - place.start) * size);
    }
  }

  /** Elements of one tensor go to those of another, in order. */
  copy(sources: readonly Run[], destinations: readonly Run[]): void {
    const source = [...sources];
    for (const destination of destinations) {
      let done = 0;
      while (done < destination.count) {
        const from = source[0];
        const count = Math.min(from.count, destination.count - done);
        this.#copyRun(
          { ...from, count },
          { ...destination, start: destination.start + done * destination.step, count },
        );
        done += count;
        if (count === from.count) source.shift();
        else source[0] = { ...from, start: from.start + count * from.step, count: from.count - count };
      }
    }
  }

  /** The sums. */
  finish(): ExchangeTraffic {
    for (const { tile, variable, start, end } of union(this.#needs)) {
      const size = this.#elementBytes(variable);
      for (const place of this.#mapping(variable).between(start, end)) {
        if (place.tile === tile) continue;
        this.#receive(place.tile, tile, (place.end - place.start) * size);
        this.#sends.push({ tile: place.tile, variable, start: place.start, end: place.end });
      }
    }
    for (const { tile, variable, start, end } of union(this.#sends)) {
      this.#send(tile, (end - start) * this.#elementBytes(variable));
    }
    return {
      receivedBytes: this.#received,
      sentBytes: this.#sent,
      localBytes: this.#local,
      receivedPieces: this.#receivedPieces,
      sentPieces: this.#sentPieces,
      linkSentBytes: this.#links,
    };
  }

  #send(tile: number, bytes: number): void {
    this.#sent[tile] += bytes;
    this.#sentPieces[tile]++;
  }

  #receive(source: number, tile: number, bytes: number): void {
    this.#received[tile] += bytes;
    this.#receivedPieces[tile]++;
    const tilesPerChip = this.#received.length / this.#links.length;
    const chip = Math.floor(source / tilesPerChip);
    if (chip !== Math.floor(tile / tilesPerChip)) this.#links[chip] += bytes;
  }

  #copyRun(from: Run, to: Run): void {
    if (from.count > 1 && (from.step !== 1 || to.step !== 1)) {
      for (let i = 0; i < from.count; i++) {
        this.#copyRun(
          { variable: from.variable, start: from.start + i * from.step, count: 1, step: 1 },
          { variable: to.variable, start: to.start + i * to.step, count: 1, step: 1 },
        );
      }
      return;
    }
    const size = this.#elementBytes(from.variable);
    const shift = to.start - from.start;
    for (const source of this.#mapping(from.variable).between(from.start, from.start + from.count)) {
      const { start, end, tile } = source;
      for (const place of this.#mapping(to.variable).between(start + shift, end + shift)) {
        const bytes = (place.end - place.start) * size;
        if (place.tile === tile) this.#local[tile] += bytes;
        else {
          this.#receive(tile, place.tile, bytes);
          const begin = place.start - shift;
          this.#sends.push({ tile, variable: from.variable, start: begin, end: place.end - shift });
        }
      }
    }
  }

  #mapping(variable: number) {
    return this.#graph.variables.all[variable].mapping;
  }

  #elementBytes(variable: number): number {
    return elementBytes[this.#graph.variables.all[variable].type];
  }
}

/** The claims with those that overlap or touch made one, each tile and variable for itself. */
function union(claims: readonly Claim[]): Claim[] {
  const ordered = [...claims].sort((a, b) => a.tile - b.tile || a.variable - b.variable || a.start - b.start);
  const joined: Claim[] = [];
  for (const claim of ordered) {
    const last = joined.at(-1);
    const touches =
      last !== undefined && last.tile === claim.tile && last.variable === claim.variable && claim.start <= last.end;
    if (touches) joined[joined.length - 1] = { ...last, end: Math.max(last.end, claim.end) };
    else joined.push(claim);
  }
  return joined;
}
