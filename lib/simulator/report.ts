import type { Target } from "../graph/index.ts";
import type { TileMemory } from "./memory.ts";
import type { Superstep } from "./superstep.ts";

/** What a device has done since the program was loaded, as plain data. */
export interface ExecutionReport {
  readonly kind: "execution";
  readonly device: Target;
  /** In the order in which they happened. A superstep that happened again is the same object again. */
  readonly supersteps: readonly Superstep[];
  readonly cycles: number;
  readonly seconds: number;
  /** Cycles that all tiles waited for: what the slowest tile of each superstep took, and synchronisation. */
  readonly phases: { readonly compute: number; readonly exchange: number; readonly sync: number };
  /** Cycles of each tile's own work, indexed by tile. */
  readonly tiles: { readonly compute: Float64Array; readonly exchange: Float64Array };
  readonly exchangedBytes: number;
  /** Of these, bytes that went from chip to chip. */
  readonly linkBytes: number;
  /** Bytes over the border to the host and to remote buffers, both ways; what that takes is time of the exchange. */
  readonly hostBytes: number;
  readonly memory: TileMemory;
}

/** Sums supersteps up. */
export function summarise(device: Target, supersteps: readonly Superstep[], memory: TileMemory): ExecutionReport {
  const times = new Map<Superstep, number>();
  for (const superstep of supersteps) times.set(superstep, (times.get(superstep) ?? 0) + 1);
  const tiles = { compute: new Float64Array(device.tileCount), exchange: new Float64Array(device.tileCount) };
  const phases = { compute: 0, exchange: 0, sync: 0 };
  let exchangedBytes = 0;
  let linkBytes = 0;
  let hostBytes = 0;
  for (const [superstep, count] of times) {
    phases.compute += largest(superstep.computeCycles) * count;
    phases.exchange += exchangePhase(superstep) * count;
    phases.sync += superstep.syncCycles * count;
    exchangedBytes += superstep.exchangedBytes * count;
    linkBytes += superstep.linkBytes * count;
    hostBytes += superstep.hostBytes * count;
    for (let tile = 0; tile < device.tileCount; tile++) {
      tiles.compute[tile] += superstep.computeCycles[tile] * count;
      tiles.exchange[tile] += superstep.exchangeCycles[tile] * count;
    }
  }
  const cycles = phases.compute + phases.exchange + phases.sync;
  const seconds = cycles / device.clockHz;
  return {
    kind: "execution",
    device,
    supersteps: [...supersteps],
    cycles,
    seconds,
    phases,
    tiles,
    exchangedBytes,
    linkBytes,
    hostBytes,
    memory,
  };
}

/** Cycles that all tiles wait until the last has what it needs: from tiles, over links, from outside. */
function exchangePhase({ exchangeCycles, linkCycles, hostCycles }: Superstep): number {
  return Math.max(largest(exchangeCycles), linkCycles, hostCycles);
}

/** A report as text: the sums, the supersteps with repeats of one taken together, and memory. */
export function formatReport(report: ExecutionReport): string {
  const { device, phases, memory } = report;
  const rows = [["superstep", "times", "sync", "exchange", "compute", "bytes", "busy tiles"]];
  for (let index = 0; index < report.supersteps.length; ) {
    const superstep = report.supersteps[index];
    let times = 1;
    while (report.supersteps[index + times] === superstep) times++;
    index += times;
    const busy = superstep.computeCycles.reduce((sum, cycles) => sum + Number(cycles > 0), 0);
    const { syncCycles, computeCycles, exchangedBytes, hostBytes } = superstep;
    const bytes = exchangedBytes + hostBytes;
    const numbers = [times, syncCycles, exchangePhase(superstep), largest(computeCycles), bytes, busy];
    rows.push([superstep.name, ...numbers.map(grouped)]);
  }
  const total = memory.peak.reduce((sum, bytes) => sum + bytes, 0);
  const fullest = memory.peak.indexOf(largest(memory.peak));
  return [
    `${device.name}, ${device.tileCount} tiles: ${grouped(report.cycles)} cycles, ${(report.seconds * 1e6).toFixed(2)} µs at ${device.clockHz / 1e9} GHz`,
    `compute ${grouped(phases.compute)}, exchange ${grouped(phases.exchange)}, sync ${grouped(phases.sync)} cycles; ${grouped(report.exchangedBytes)} B exchanged${report.hostBytes > 0 ? `, ${grouped(report.hostBytes)} B from and to the host` : ""}`,
    ...table(rows),
    `memory: ${grouped(total)} B on all tiles at their peaks; most on tile ${fullest}: ${grouped(memory.peak[fullest])} of ${grouped(memory.bytesPerTile)} B`,
  ].join("\n");
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "),
  );
}

function largest(values: Iterable<number>): number {
  let found = 0;
  for (const value of values) if (value > found) found = value;
  return found;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
