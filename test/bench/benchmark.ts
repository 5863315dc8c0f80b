import { availableParallelism, cpus, loadavg } from "node:os";
import { peakFlopsPerSecond } from "./peak.ts";

/** Figures by name; names end in their unit: `stepSeconds`, `samplesPerSecond`, `peakBytes`. */
export type Figures = Readonly<Record<string, number>>;

/** What a benchmark measured, and what others did in the same run. */
export interface Measured {
  readonly figures: Figures;
  /** Figures of the same names by peer; for one that is not there, the reason. */
  readonly peers: Readonly<Record<string, Figures | string>>;
}

/** A benchmark's last line. */
export interface BenchmarkReport extends Measured {
  readonly name: string;
  /** For each peer that is there, how many times better we are, figure by figure: above 1 is better. */
  readonly ratios: Readonly<Record<string, Figures>>;
  readonly machine: Readonly<Record<string, string | number>>;
}

/** What the figures were measured on, with the limit of its arithmetic, and how busy it was with other things. */
export async function describeMachine(): Promise<BenchmarkReport["machine"]> {
  const load = loadavg()[0];
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
    wasmPeakFlopsPerSecond: await peakFlopsPerSecond(),
    loadBefore: Number(load.toFixed(2)),
  };
}

/** Ratios of our figures to a peer's: more per second is better, fewer seconds or bytes are. */
export function ratiosOf(ours: Figures, theirs: Figures): Figures {
  const ratios: Record<string, number> = {};
  for (const [name, own] of Object.entries(ours)) {
    const other = theirs[name];
    if (other === undefined || other === 0 || own === 0) continue;
    ratios[name] = name.endsWith("PerSecond") ? own / other : other / own;
  }
  return ratios;
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** How long to measure. */
export interface Effort {
  readonly warmUpSeconds?: number;
  readonly seconds?: number;
}

/**
 * Median seconds of one call. Code that the machine compiles while it runs gets time and calls to be compiled well
 * first; calls are timed in groups of a millisecond or more, so that reading the clock costs nothing.
 */
export async function medianSeconds(
  call: () => void,
  { warmUpSeconds = 1, seconds = 2 }: Effort = {},
): Promise<number> {
  const now = (): number => performance.now() / 1000;
  const warm = now() + warmUpSeconds;
  let calls = 0;
  const started = now();
  while (now() < warm) {
    call();
    calls++;
    // Optimised code is installed between turns of the event loop.
    if (calls % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const group = Math.max(1, Math.ceil((0.001 * calls) / (now() - started)));
  const samples: number[] = [];
  const end = now() + seconds;
  while (now() < end || samples.length < 5) {
    const before = now();
    for (let i = 0; i < group; i++) call();
    samples.push((now() - before) / group);
  }
  return median(samples);
}
