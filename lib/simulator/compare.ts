import type { ExecutionReport } from "./report.ts";

/** One number of two runs. */
export interface ComparedFigure {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** `after` over `before`; NaN where both are 0. */
  readonly ratio: number;
}

/** Two runs side by side, as plain data. */
export interface ExecutionComparison {
  readonly kind: "execution-comparison";
  readonly names: readonly [before: string, after: string];
  readonly figures: readonly ComparedFigure[];
  /** Cycles of supersteps by name; 0 where a run has none of it. Those that differ most come first. */
  readonly supersteps: readonly ComparedFigure[];
}

function cyclesByName({ supersteps }: ExecutionReport): Map<string, number> {
  const cycles = new Map<string, number>();
  for (const { name, cycles: own } of supersteps) cycles.set(name, (cycles.get(name) ?? 0) + own);
  return cycles;
}

const sum = (bytes: Float64Array): number => bytes.reduce((total, value) => total + value, 0);
const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, value), 0);

/** What of a run is compared, by name; cycles and bytes. */
const measures: Readonly<Record<string, (report: ExecutionReport) => number>> = {
  cycles: ({ cycles }) => cycles,
  "compute cycles": ({ phases }) => phases.compute,
  "exchange cycles": ({ phases }) => phases.exchange,
  "sync cycles": ({ phases }) => phases.sync,
  supersteps: ({ supersteps }) => supersteps.length,
  "exchanged bytes": ({ exchangedBytes }) => exchangedBytes,
  "bytes from chip to chip": ({ linkBytes }) => linkBytes,
  "busy share of tiles": ({ tiles, phases, device }) =>
    phases.compute === 0 ? 0 : sum(tiles.compute) / (phases.compute * device.tileCount),
  "fullest tile's bytes": ({ memory }) => largest(memory.peak),
  "always live bytes": ({ memory }) => sum(memory.alwaysLive),
  "vertex state bytes": ({ memory }) => sum(memory.vertexState),
  "vertex code bytes": ({ memory }) => sum(memory.vertexCode),
  "exchange code bytes": ({ memory }) => sum(memory.exchangeCode),
  "control code bytes": ({ memory }) => sum(memory.controlCode),
};

/** One number of two runs, or of two other reports. */
export function compared(name: string, before: number, after: number): ComparedFigure {
  return { name, before, after, ratio: after / before };
}

/** Compares two runs: of two programs on a device, or of one on two devices. */
export function compareRuns(
  before: ExecutionReport,
  after: ExecutionReport,
  names: readonly [before: string, after: string] = ["before", "after"],
): ExecutionComparison {
  const [first, second] = [cyclesByName(before), cyclesByName(after)];
  const supersteps = [...new Set([...first.keys(), ...second.keys()])]
    .map((name) => compared(name, first.get(name) ?? 0, second.get(name) ?? 0))
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
  const figures = Object.entries(measures).map(([name, of]) => compared(name, of(before), of(after)));
  return { kind: "execution-comparison", names, figures, supersteps };
}

/** A comparison as text: all figures, and the supersteps that differ most. */
export function formatComparison({ names, figures, supersteps }: ExecutionComparison, shown = 10): string {
  return comparisonTable(names, [...figures, ...supersteps.slice(0, shown)]);
}

/** Figures in columns, with headings between them. */
export function comparisonTable(
  names: readonly [before: string, after: string],
  lines: readonly (ComparedFigure | { readonly heading: string })[],
): string {
  const cell = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 3 });
  const rows = [
    ["", ...names, "ratio"],
    ...lines.map((line) => {
      if ("heading" in line) return [line.heading];
      const { name, before, after, ratio } = line;
      return [name, cell(before), cell(after), Number.isFinite(ratio) ? ratio.toFixed(3) : "–"];
    }),
  ];
  // A heading stands alone in its line and may be as long as it is.
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.filter((row) => row.length > 1).map((row) => row[column].length)),
  );
  return rows
    .map((row) =>
      row.length === 1
        ? row[0]
        : row.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))).join("  "),
    )
    .join("\n");
}
