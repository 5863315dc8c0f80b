// Energy by what moves and what is computed, in joules. Sources, none of them of the devices themselves:
// - Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014, 45 nm at 0.9 V: additions and
//   multiplications of 32 bits 0.9 and 3.7 pJ, of 16 bits 0.4 and 1.1 pJ, of which an operation is half of the sum; 64
//   bits of a memory of 32 KB 20 pJ, of one of 1 MB 100 pJ; 64 bits of DRAM 1.3 to 2.6 nJ.
// - O'Connor et al., "Fine-grained DRAM", MICRO 2017: a bit of HBM2 3.92 pJ.
// - Keckler et al., "GPUs and the future of parallel computing", IEEE Micro 2011: 256 bits over 10 mm of wire in 40 nm
//   310 pJ. Two places of a square die of 823 mm² are two thirds of its side, 19 mm, apart on average.
const pico = 1e-12;

/** Joules of an arithmetic operation, by the bits of its operands. */
export const operationJoules = { single: ((0.9 + 3.7) / 2) * pico, half: ((0.4 + 1.1) / 2) * pico } as const;

/** Joules of moving a byte. */
export const byteJoules = {
  /** Caches and scratch memories beside the arithmetic, of 1 MB and more. */
  cache: (100 / 8) * pico,
  /** From tile to tile across the die. */
  exchange: (310 / 256) * 8 * 1.9 * pico,
  hbm: 3.92 * 8 * pico,
  dram: (1950 / 8) * pico,
} as const;

/** Joules of moving a byte in a tile's own memory: between memories of 32 KB and of 1 MB by the logarithm of the size. */
export function tileByteJoules(bytesPerTile: number): number {
  const [small, large] = [32 * 1024, 1024 * 1024];
  const share = Math.log(bytesPerTile / small) / Math.log(large / small);
  return ((20 + 80 * share) / 8) * pico;
}

/** Joules of a run, by what they are spent on. */
export interface Energy {
  readonly arithmetic: number;
  /** Memory beside the arithmetic. */
  readonly local: number;
  /** What goes from tile to tile. */
  readonly exchange: number;
  /** What crosses the memory interface. */
  readonly memory: number;
}

/** All of it. */
export function totalJoules({ arithmetic, local, exchange, memory }: Energy): number {
  return arithmetic + local + exchange + memory;
}
