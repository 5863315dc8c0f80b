import type { MemoryCategory, MemoryReport, StepLabel } from "./report.ts";

/** One buffer that is alive at the peak. */
export interface PeakBuffer {
  readonly name: string;
  readonly layer: string;
  readonly category: MemoryCategory;
  readonly type: string;
  readonly bytes: number;
  /** The step that made it; null for what is there before the first. */
  readonly madeBy: string | null;
  /** The last step that needs it, which is why it is still there; null for what stays to the end. */
  readonly neededBy: string | null;
  /** Steps from the peak until it goes. */
  readonly stepsLeft: number;
  /** What would free it, or make it smaller. */
  readonly remedy: string;
}

/** What a program's peak is made of, the largest first, and what could be done about each. */
export interface PeakExplanation {
  readonly kind: "peak-explanation";
  readonly title: string;
  /** The step of the peak. */
  readonly step: string;
  readonly phase: StepLabel["phase"];
  readonly peakBytes: number;
  readonly bytesByCategory: Readonly<Partial<Record<MemoryCategory, number>>>;
  readonly buffers: readonly PeakBuffer[];
}

/** Why memory is fullest where it is: the live set at the peak, who still needs each buffer, and what would free it. */
export function explainPeak(report: MemoryReport): PeakExplanation {
  const { title, steps, peak } = report;
  const alive = report.buffers.filter(({ start, end }) => start <= peak.step && end > peak.step);
  const bytesByCategory: Partial<Record<MemoryCategory, number>> = {};
  for (const { category, bytes } of alive) bytesByCategory[category] = (bytesByCategory[category] ?? 0) + bytes;
  const buffers = alive.map(({ name, layer, category, type, bytes, start, end }): PeakBuffer => {
    const stays = end >= steps.length && start === 0;
    return {
      name,
      layer,
      category,
      type,
      bytes,
      madeBy: start === 0 && ["weights", "optimizer", "inputs"].includes(category) ? null : describe(steps[start]),
      neededBy: stays ? null : describe(steps[Math.min(end, steps.length) - 1]),
      stepsLeft: Math.min(end, steps.length) - 1 - peak.step,
      remedy: remedies[category](end - 1 > peak.step),
    };
  });
  return {
    kind: "peak-explanation",
    title,
    step: steps.length === 0 ? "none" : describe(steps[peak.step]),
    phase: steps[peak.step]?.phase ?? "forward",
    peakBytes: peak.bytes,
    bytesByCategory,
    buffers: buffers.sort((a, b) => b.bytes - a.bytes),
  };
}

/** What would free a buffer of each category, by whether somebody after the peak still waits for it. */
const remedies: Readonly<Record<MemoryCategory, (waits: boolean) => string>> = {
  weights: () => "always there: a smaller network",
  optimizer: () => "always there: an optimiser with less state, such as plain SGD",
  inputs: () => "a smaller batch",
  activations: (waits) => (waits ? "computed again when needed: a budget or checkpoints" : "in use: a smaller batch"),
  gradients: (waits) => (waits ? "waits for a later step: a smaller batch" : "in use: a smaller batch"),
  workspace: () => "in use by this step alone: a smaller batch",
};

function describe({ name, layer }: StepLabel): string {
  return layer === "" ? name : `${name} (${layer})`;
}
