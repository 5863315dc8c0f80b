import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { writeFileAtomically } from "../../lib/formats/index.ts";

/** What one seed came to: numbers by name, and lists of numbers, one an epoch. Shares are from 0 to 1. */
export interface Outcome {
  readonly figures: Readonly<Record<string, number>>;
  readonly curves: Readonly<Record<string, readonly number[]>>;
}

/** What a recipe says, in words and numbers: it is stored, and results of another recipe are no longer valid. */
export type Recipe = Readonly<Record<string, string | number | readonly number[]>>;

/** What is compared with what somebody has published. */
export interface Claim {
  readonly variant: string;
  readonly figure: string;
  /** The published number, or the limit that we have set ourselves. */
  readonly target: number;
  /** `below`: the mean must not be above the target; `near`: it must not be farther from it than the tolerance. */
  readonly rule: "below" | "near";
  readonly tolerance?: number;
  readonly source: string;
}

/** A question that takes longer than a notebook may, asked again for every seed. */
export interface Experiment {
  readonly name: string;
  readonly question: string;
  readonly variants: Readonly<Record<string, Recipe>>;
  readonly claims: readonly Claim[];
  readonly seeds: readonly number[];
  /**
   * Runs one variant from one seed.
   *
   * @param checkpoint a file to which it may save how far it is, and from which it may go on; it is removed at the end
   */
  run(variant: string, seed: number, checkpoint: string): Promise<Outcome>;
}

/** One seed's outcome and where it was computed. */
export interface Run extends Outcome {
  readonly seed: number;
  readonly seconds: number;
  readonly machine: Readonly<Record<string, string | number>>;
}

/** Mean and deviation (of a sample, n − 1) over the seeds. */
export interface Summary {
  readonly mean: number;
  readonly deviation: number;
  readonly seeds: number;
}

/** Everything about an experiment that a notebook may show: plain data, stored as JSON. */
export interface ExperimentResults {
  readonly kind: "experiment";
  readonly name: string;
  readonly question: string;
  readonly command: string;
  readonly claims: readonly Claim[];
  readonly variants: Readonly<Record<string, VariantResults>>;
}

/** What is known of one variant so far. */
export interface VariantResults {
  readonly recipe: Recipe;
  /** In the order of their seeds. */
  readonly runs: readonly Run[];
  readonly summary: Readonly<Record<string, Summary>>;
}

/** Where the results of all experiments lie: beside the notebooks that show them. */
export const resultsFolder = join(import.meta.dirname, "../../../notebooks/results");

/** Stored results; null if there are none yet. */
export function readResults(name: string, folder = resultsFolder): ExperimentResults | null {
  try {
    return JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as ExperimentResults;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Mean and deviation of every figure that all runs have. */
export function summarise(runs: readonly Run[]): Record<string, Summary> {
  const names = Object.keys(runs[0]?.figures ?? {}).filter((name) => runs.every((run) => name in run.figures));
  return Object.fromEntries(
    names.map((name) => {
      const values = runs.map((run) => run.figures[name]);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return [name, { mean, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)), seeds: values.length }];
    }),
  );
}

/** What is left to do and where. */
export interface RunOptions {
  readonly variants?: readonly string[];
  readonly seeds?: readonly number[];
  readonly folder?: string;
  readonly say?: (line: string) => void;
}

/**
 * Runs what is not stored yet, seed by seed, and stores every outcome as soon as it is there: a run that was stopped goes
 * on where it was. What is stored of another recipe is dropped.
 *
 * @returns all results
 */
export async function runExperiment(experiment: Experiment, options: RunOptions = {}): Promise<ExperimentResults> {
  const { name, question, claims } = experiment;
  const { folder = resultsFolder, say = () => {}, seeds = experiment.seeds } = options;
  const { variants: chosen = Object.keys(experiment.variants) } = options;
  for (const variant of chosen) {
    if (!Object.hasOwn(experiment.variants, variant)) {
      throw new Error(
        `experiment: the variant must be one of ${name}'s, got "${variant}"; there are ${Object.keys(experiment.variants).join(", ")}`,
      );
    }
  }
  const file = join(folder, `${name}.json`);
  const checkpoint = (variant: string, seed: number): string =>
    join(import.meta.dirname, "../../../out/experiments", `${name}-${variant}-${seed}.safetensors`);
  await mkdir(folder, { recursive: true });
  const stored = readResults(name, folder);
  const runs = new Map<string, readonly Run[]>();
  for (const [variant, recipe] of Object.entries(experiment.variants)) {
    const before = stored?.variants[variant];
    const valid = before !== undefined && isDeepStrictEqual(before.recipe, recipe);
    if (before !== undefined && !valid) say(`${variant}: the recipe has changed, ${before.runs.length} stored runs go`);
    runs.set(variant, valid ? before.runs : []);
  }
  const results = (): ExperimentResults => ({
    kind: "experiment",
    name,
    question,
    command: `npm run experiment -- ${name}`,
    claims,
    variants: Object.fromEntries(
      [...runs].map(([variant, done]) => [
        variant,
        { recipe: experiment.variants[variant], runs: done, summary: summarise(done) },
      ]),
    ),
  });
  for (const variant of chosen) {
    for (const seed of seeds) {
      const done = runs.get(variant) ?? [];
      if (done.some((run) => run.seed === seed)) {
        say(`${variant}, seed ${seed}: is there already`);
        continue;
      }
      const place = checkpoint(variant, seed);
      await mkdir(dirname(place), { recursive: true });
      const started = performance.now();
      const outcome = await experiment.run(variant, seed, place);
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      const run: Run = { seed, ...outcome, seconds, machine: describeHost() };
      runs.set(
        variant,
        [...done, run].sort((a, b) => a.seed - b.seed),
      );
      await writeFileAtomically(file, new TextEncoder().encode(`${JSON.stringify(results(), null, 1)}\n`));
      await rm(place, { force: true });
      say(`${variant}, seed ${seed}: ${JSON.stringify(outcome.figures)} in ${seconds} s`);
    }
  }
  return results();
}

function describeHost(): Run["machine"] {
  return { processor: cpus()[0]?.model ?? "unknown", cores: availableParallelism(), node: process.version };
}

/** Whether what is stored so far keeps a claim, and the numbers for it. */
export function judge(claim: Claim, results: ExperimentResults): { readonly holds: boolean; readonly text: string } {
  const { variant, figure, target, rule, tolerance = 0, source } = claim;
  const summary = results.variants[variant]?.summary[figure];
  if (summary === undefined) return { holds: false, text: `${variant}: ${figure} has not been measured` };
  const { mean, deviation, seeds } = summary;
  const holds = rule === "below" ? mean <= target : Math.abs(mean - target) <= tolerance;
  const wanted = rule === "below" ? `≤ ${target}` : `${target} ± ${tolerance}`;
  const got = `${mean.toPrecision(4)} ± ${deviation.toPrecision(2)} over ${seeds} seeds`;
  return { holds, text: `${variant}: ${figure} ${got}, wanted ${wanted} (${source}): ${holds ? "holds" : "missed"}` };
}
