import type { ExecutionReport, Superstep } from "../../simulator/index.ts";

/** One superstep as often as it happened. */
export interface SuperstepRow {
  readonly name: string;
  readonly times: number;
  /** Of all times together. */
  readonly cycles: number;
  readonly exchangedBytes: number;
  /** Mean of the tiles' computing, as a share of the slowest tile's. */
  readonly balance: number;
}

/** An execution in as many pieces of time and of tiles as a picture can show: plain data. */
export interface ExecutionProfile {
  readonly kind: "execution";
  readonly device: string;
  readonly tileCount: number;
  readonly clockHz: number;
  readonly supersteps: number;
  readonly cycles: number;
  readonly exchangedBytes: number;
  readonly phases: Readonly<Record<ExecutionPhase, number>>;
  /** The cycles that the pieces of time cover, half-open: all of them unless a part was asked for. */
  readonly range: readonly [start: number, end: number];
  /** Pieces of time, as long as each other. */
  readonly columns: readonly ExecutionColumn[];
  /** Names of supersteps, by the numbers in `columns`. */
  readonly names: readonly string[];
  /** `busy[row][column]`: the mean share of a piece of time that the tiles of the row compute or exchange in. */
  readonly busy: readonly (readonly number[])[];
  /** Those that take most cycles, longest first. */
  readonly longest: readonly SuperstepRow[];
  /** Mean of all tiles' computing and exchanging, as a share of all cycles. */
  readonly utilisation: number;
}

/** A piece of time: its cycles by phase, and the superstep that takes most of it, counted from 0, with its name's number. */
export interface ExecutionColumn extends Readonly<Record<ExecutionPhase, number>> {
  readonly superstep: number;
  readonly name: number;
}

export type ExecutionPhase = "compute" | "exchange" | "sync";

const mostColumns = 240;
const mostRows = 46;
const mostListed = 7;

/**
 * Cuts an execution into pieces. Within a phase of one superstep a tile's own cycles are spread evenly, so that sums over
 * pieces are the report's.
 *
 * @param range the cycles to be cut, half-open; all of them unless told otherwise
 *
 * Cost: O(supersteps · tiles).
 */
export function profileExecution(
  report: ExecutionReport,
  range: readonly [start: number, end: number] = [0, report.cycles],
): ExecutionProfile {
  const { device, supersteps, cycles, phases } = report;
  const { tileCount } = device;
  const [first, last] = range;
  const columnCount = Math.max(1, Math.min(mostColumns, last - first));
  const rowCount = Math.min(mostRows, tileCount);
  const columns = Array.from({ length: columnCount }, () => ({
    compute: 0,
    exchange: 0,
    sync: 0,
    superstep: 0,
    name: 0,
  }));
  const longestPart = new Float64Array(columnCount);
  const nameNumbers = new Map<string, number>();
  const busy = Array.from({ length: rowCount }, () => new Array<number>(columnCount).fill(0));
  const perColumn = (last - first) / columnCount;
  const known = new Map<Superstep, Record<"exchange" | "compute", PhaseRows>>();
  const lay = (phase: ExecutionPhase, at: number, length: number, rows: readonly number[] | null): void => {
    const start = at - first;
    for (
      let column = Math.max(0, Math.floor(start / perColumn));
      column < columnCount && column * perColumn < start + length;
      column++
    ) {
      const part = Math.min(start + length, (column + 1) * perColumn) - Math.max(start, column * perColumn);
      if (part <= 0) continue;
      columns[column][phase] += part;
      rows?.forEach((share, row) => {
        busy[row][column] += (share * part) / perColumn;
      });
    }
  };
  /** Names the pieces of which a superstep takes more than any before it. */
  const name = (superstep: Superstep, number: number, at: number, length: number): void => {
    const start = at - first;
    for (
      let column = Math.max(0, Math.floor(start / perColumn));
      column < columnCount && column * perColumn < start + length;
      column++
    ) {
      const part = Math.min(start + length, (column + 1) * perColumn) - Math.max(start, column * perColumn);
      if (part <= longestPart[column]) continue;
      longestPart[column] = part;
      if (!nameNumbers.has(superstep.name)) nameNumbers.set(superstep.name, nameNumbers.size);
      columns[column].superstep = number;
      columns[column].name = nameNumbers.get(superstep.name)!;
    }
  };
  let now = 0;
  for (const [number, superstep] of supersteps.entries()) {
    if (now >= last) break;
    if (now + superstep.cycles <= first) {
      now += superstep.cycles;
      continue;
    }
    name(superstep, number, now, superstep.cycles);
    let rows = known.get(superstep);
    if (rows === undefined) {
      rows = {
        exchange: phaseRows(superstep.exchangeCycles, rowCount),
        compute: phaseRows(superstep.computeCycles, rowCount),
      };
      known.set(superstep, rows);
    }
    lay("sync", now, superstep.syncCycles, null);
    now += superstep.syncCycles;
    // Links between chips, or the host, may take longer than any tile.
    const exchanging = superstep.cycles - superstep.syncCycles - rows.compute.most;
    const { most, shares } = rows.exchange;
    lay("exchange", now, exchanging, exchanging === most ? shares : shares.map((part) => (part * most) / exchanging));
    now += exchanging;
    lay("compute", now, rows.compute.most, rows.compute.shares);
    now += rows.compute.most;
  }
  const own = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
  return {
    kind: "execution",
    device: device.name,
    tileCount,
    clockHz: device.clockHz,
    supersteps: supersteps.length,
    cycles,
    exchangedBytes: report.exchangedBytes,
    phases,
    range,
    columns,
    names: [...nameNumbers.keys()],
    busy,
    longest: longestSupersteps(supersteps),
    utilisation: cycles === 0 ? 0 : (own(report.tiles.compute) + own(report.tiles.exchange)) / (cycles * tileCount),
  };
}

/** Cycles of the slowest tile, and of each row of tiles the mean share of them. */
interface PhaseRows {
  readonly most: number;
  readonly shares: readonly number[];
}

function phaseRows(cycles: Uint32Array, rowCount: number): PhaseRows {
  const most = cycles.reduce((largest, value) => Math.max(largest, value), 0);
  const shares = Array.from({ length: rowCount }, (_, row) => {
    const start = Math.floor((row * cycles.length) / rowCount);
    const end = Math.floor(((row + 1) * cycles.length) / rowCount);
    let sum = 0;
    for (let tile = start; tile < end; tile++) sum += cycles[tile];
    return most === 0 ? 0 : sum / (end - start) / most;
  });
  return { most, shares };
}

function longestSupersteps(supersteps: readonly Superstep[]): SuperstepRow[] {
  const times = new Map<Superstep, number>();
  for (const superstep of supersteps) times.set(superstep, (times.get(superstep) ?? 0) + 1);
  return [...times]
    .sort(([a, timesOfA], [b, timesOfB]) => b.cycles * timesOfB - a.cycles * timesOfA)
    .slice(0, mostListed)
    .map(([superstep, count]) => {
      const { most, shares } = phaseRows(superstep.computeCycles, 1);
      return {
        name: superstep.name,
        times: count,
        cycles: superstep.cycles * count,
        exchangedBytes: superstep.exchangedBytes * count,
        balance: most === 0 ? 0 : shares[0],
      };
    });
}
