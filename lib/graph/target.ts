/** What a program is built for: numbers that say how many tiles there are, what each holds and how fast they talk. */
export interface Target {
  readonly name: string;
  readonly tileCount: number;
  readonly bytesPerTile: number;
  /** Worker threads of a tile, served in turn: each issues one instruction in as many cycles as there are workers. */
  readonly workersPerTile: number;
  /** Outputs that a tile's matrix unit makes at a time from sixteen inputs, by the type of the inputs. */
  readonly matrixUnits: { readonly half: number; readonly float: number };
  /** Bytes that one tile takes in from the exchange in a cycle, and sends to it. */
  readonly exchangeBytesPerCycle: number;
  /** Bytes that a tile copies within its own memory in a cycle: a 64-bit load beside a 64-bit store. */
  readonly localCopyBytesPerCycle: number;
  /** Cycles that one synchronisation of all tiles takes after the last has arrived. */
  readonly syncCycles: number;
  readonly clockHz: number;
  /** Bytes that a chip takes from the host in a second, and sends to it; to remote buffers and from them alike. */
  readonly hostBytesPerSecond: number;
  /** Chips over which the tiles are spread in equal parts; 1 unless told otherwise. */
  readonly chips?: number;
  /** Bytes that a chip sends to others in a cycle over its links; of several chips alone. */
  readonly linkBytesPerCycle?: number;
}

// Tiles, bytes and clocks: Graphcore's data sheets. Workers, exchange width and synchronisation: Jia, Tillman, Maggioni
// and Scarpazza, "Dissecting the Graphcore IPU architecture via microbenchmarking", 2019, on a GC2: a synchronisation
// of one chip took 64 to 117 cycles, of which the middle is taken, for later chips too as nobody has published theirs.
// Matrix unit: the data sheets' operations a second are 128 half and 32 single a cycle and tile, half as many on the first
// generation; a test multiplies them out.
// Host: sixteen lanes of PCI Express 4.0, which the data sheets name: 16 GT/s a lane and direction, 128 bits in 130; what
// protocols take away is not counted. Remote buffers lie behind the same lanes, as an assumption of ours.
const common = {
  workersPerTile: 6,
  matrixUnits: { half: 16, float: 8 },
  exchangeBytesPerCycle: 4,
  localCopyBytesPerCycle: 8,
  syncCycles: 90,
  hostBytesPerSecond: (16 * 16e9 * (128 / 130)) / 8,
};

/** The devices that programs can be built for. */
export const devices = {
  /** The first generation, 2018: 1,216 tiles of 256 KiB. */
  gc2: {
    ...common,
    name: "GC2",
    tileCount: 1216,
    bytesPerTile: 262_144,
    clockHz: 1.6e9,
    matrixUnits: { half: 8, float: 4 },
  },
  /** The second generation, 2020: 1,472 tiles of 624 KiB. */
  gc200: { name: "GC200", tileCount: 1472, bytesPerTile: 638_976, clockHz: 1.33e9, ...common },
  /** GC200 on a second wafer that feeds it power, 2022: the same tiles at a faster clock. */
  bow: { name: "Bow", tileCount: 1472, bytesPerTile: 638_976, clockHz: 1.85e9, ...common },
  /** No chip: sixteen of the GC200's tiles with memory small enough to run out of, for lectures. */
  lecture: { name: "Lecture", tileCount: 16, bytesPerTile: 65_536, clockHz: 1.33e9, ...common },
} as const satisfies Readonly<Record<string, Target>>;

// Links of a chip: 320 GB/s in both directions together on the GC200's data sheet, so half of it to send. The
// synchronisation of chips with each other: Jia et al. measured 501 to 642 cycles on sixteen; the middle is taken for any
// number above one.
const linkBytesPerSecond = 160e9;
const chipSyncCycles = 570;

/**
 * Several chips as one target: their tiles are numbered chip after chip, exchange between chips goes over links, and a
 * synchronisation waits for all of them.
 *
 * @throws Error if the number of chips is not 1, 2, 4, 8 or 16
 */
export function chips(target: Target, count: number): Target {
  if (![1, 2, 4, 8, 16].includes(count)) {
    throw new Error(`chips: there can be 1, 2, 4, 8 or 16 chips, got ${count} (${target.name}); take one of these`);
  }
  if (count === 1) return target;
  return {
    ...target,
    name: `${count} × ${target.name}`,
    tileCount: target.tileCount * count,
    syncCycles: chipSyncCycles,
    chips: count,
    linkBytesPerCycle: linkBytesPerSecond / target.clockHz,
  };
}
