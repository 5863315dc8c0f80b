import type { EpochRecord, TrainingHistory } from "../../training/index.ts";
import { Figure } from "../figure.ts";
import { formatNumber, plural } from "../look/format.ts";
import { checkAmount, mostSeries } from "../look/limits.ts";
import { placeholder } from "../look/placeholder.ts";
import { tickText } from "./axis.ts";
import type { Axis, LineMark, Panel } from "./chart.ts";
import { chartFigure } from "./chart-figure.ts";

/** One run, runs with several seeds, or either of them by name. */
export type Histories =
  | TrainingHistory
  | readonly TrainingHistory[]
  | Readonly<Record<string, TrainingHistory | readonly TrainingHistory[]>>;

interface Runs {
  readonly name: string;
  readonly runs: readonly TrainingHistory[];
}

/**
 * Draws how training went: loss, and test error where it was measured, over the epochs. Runs that differ only by their
 * seed are one line, their mean, in a band from the lowest to the highest.
 */
export function curves(histories: Histories, options: { readonly title?: string } = {}): Figure {
  const all = readHistories(histories);
  const instead = "give runs that differ by their seed alone as a list, or use plot.table for their last errors";
  checkAmount("plot.curves", "series", all.length, mostSeries, instead);
  const title = options.title ?? (all.length === 1 && all[0].name !== "" ? `Training: ${all[0].name}` : "Training");
  if (!all.some(({ runs }) => runs.some(({ epochs }) => epochs.length > 0))) {
    const message = "Nothing to draw yet: no epoch has ended.";
    return new Figure({
      kind: "training-history",
      picture: placeholder(title, message),
      summary: `${title}: ${message}`,
    });
  }
  const panels = [lossPanel(all)];
  const error = panelOf(all, "test error", "percent", ({ validationError }) => validationError);
  const testLoss = panelOf(all, "test loss", "number", ({ validationLoss }) => validationLoss);
  if (error) panels.push(error);
  else if (testLoss) panels.push(testLoss);
  return chartFigure(
    "training-history",
    { title, subtitle: describeRuns(all), panels },
    `${title}: ${all.map(summarise).join("; ")}`,
  );
}

function readHistories(histories: Histories): Runs[] {
  const isRun = (value: unknown): value is TrainingHistory =>
    (value as Partial<TrainingHistory> | null)?.kind === "training-history";
  const group = (name: string, value: unknown): Runs => {
    const runs = Array.isArray(value) ? value : [value];
    const wrong = runs.find((run) => !isRun(run));
    if (wrong !== undefined) {
      const got = (wrong as { kind?: unknown })?.kind ?? typeof wrong;
      throw new Error(
        `plot.curves: a run must be a training history, got ${String(got)} (${JSON.stringify(name)}); give what fit() returned`,
      );
    }
    return { name, runs };
  };
  if (isRun(histories)) return [group(histories.title, histories)];
  if (Array.isArray(histories)) return [group(histories[0]?.title ?? "", histories)];
  return Object.entries(histories).map(([name, value]) => group(name, value));
}

const epochAxis: Axis = { label: "epoch", scale: "linear", unit: "number", whole: true };

function panelOf(
  all: readonly Runs[],
  label: string,
  unit: Axis["unit"],
  measure: (record: EpochRecord) => number | undefined,
): Panel | null {
  const marks = all.flatMap(({ name, runs }, color) => {
    const mark = meanLine(name, color, runs, measure);
    return mark ? [mark] : [];
  });
  return marks.length > 0 ? { x: epochAxis, y: { label, scale: "linear", unit }, marks } : null;
}

/** The loss panel; a single run shows the loss of every step behind its epochs. */
function lossPanel(all: readonly Runs[]): Panel {
  const means = panelOf(all, "training loss", "number", ({ loss }) => loss)!;
  const only = all.length === 1 && all[0].runs.length === 1 ? all[0].runs[0] : undefined;
  if (!only || only.stepLosses.length <= only.epochs.length) return means;
  const steps = stepLine(only);
  const finite = steps.y.filter((value) => value > 0 && Number.isFinite(value));
  const spread = Math.max(...finite) / Math.min(...finite);
  // The first steps lose many times more than the last; on a linear axis the epochs would lie on the floor.
  return { ...means, y: { ...means.y, scale: spread > 12 ? "log" : "linear" }, marks: [steps, ...means.marks] };
}

const drawnSteps = 400;

/** The loss of steps over the epochs, at most a few hundred points: where there are more, each is the mean of a run of steps. */
function stepLine({ stepLosses, batch, samplesPerEpoch }: TrainingHistory): LineMark {
  const run = Math.ceil(stepLosses.length / drawnSteps);
  const x: number[] = [];
  const y: number[] = [];
  for (let start = 0; start < stepLosses.length; start += run) {
    const part = stepLosses.slice(start, start + run);
    x.push(((start + part.length) * batch) / samplesPerEpoch);
    y.push(part.reduce((sum, loss) => sum + loss, 0) / part.length);
  }
  return { kind: "line", name: run === 1 ? "each step" : `mean of ${run} steps`, color: 0, x, y, faint: true };
}

/** The mean of the runs at every epoch that any of them reached, and how far they spread. */
function meanLine(
  name: string,
  color: number,
  runs: readonly TrainingHistory[],
  measure: (record: EpochRecord) => number | undefined,
): LineMark | null {
  const epochs = [...new Set(runs.flatMap((run) => run.epochs.map(({ epoch }) => epoch)))].sort((a, b) => a - b);
  const x: number[] = [];
  const y: number[] = [];
  const low: number[] = [];
  const high: number[] = [];
  for (const epoch of epochs) {
    const values = runs
      .map((run) => run.epochs.find((record) => record.epoch === epoch))
      .map((record) => record && measure(record))
      .filter((value) => value !== undefined);
    if (values.length === 0) continue;
    x.push(epoch);
    y.push(values.reduce((sum, value) => sum + value, 0) / values.length);
    low.push(Math.min(...values));
    high.push(Math.max(...values));
  }
  if (x.length === 0) return null;
  return { kind: "line", name, color, x, y, points: x.length <= 24, ...(runs.length > 1 && { band: { low, high } }) };
}

function describeRuns(all: readonly Runs[]): string {
  const interrupted = all.flatMap(({ runs }) => runs).filter((run) => run.interrupted).length;
  const stopped =
    interrupted > 0 ? ` ${plural(interrupted, "run was", "runs were")} stopped before the last epoch ended.` : "";
  const counts = [...new Set(all.map(({ runs }) => runs.length))];
  if (counts.every((count) => count === 1)) {
    const first = all[0].runs[0];
    const facts = all.length === 1 ? `Seed ${first.seed}, ${plural(first.batch, "sample")} per step.` : "One run each.";
    return facts + stopped;
  }
  const seeds =
    counts.length === 1
      ? `${counts[0]} seeds${all.length > 1 ? " each" : ""}`
      : all.map(({ name, runs }) => `${plural(runs.length, "seed")} (${name})`).join(", ");
  return `Mean of ${seeds}; the band runs from the lowest to the highest.${stopped}`;
}

function summarise({ name, runs }: Runs): string {
  const last = runs.map(({ epochs }) => epochs.at(-1)).filter((record) => record !== undefined);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const errors = last.map(({ validationError }) => validationError).filter((value) => value !== undefined);
  const facts = [
    ...(runs.length > 1 ? [plural(runs.length, "seed")] : []),
    plural(Math.max(0, ...runs.map(({ epochs }) => epochs.length)), "epoch"),
    ...(last.length > 0 ? [`loss ${formatNumber(mean(last.map(({ loss }) => loss)))}`] : []),
    ...(errors.length > 0 ? [`test error ${tickText(mean(errors), "percent")}`] : []),
  ];
  return `${name === "" ? "" : `${name}: `}${facts.join(", ")}`;
}
