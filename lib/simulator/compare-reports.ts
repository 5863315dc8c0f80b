import type { CensusRow, EdgeCounts, VertexCensus } from "../graph/index.ts";
import { type ComparedFigure, compared, compareRuns, comparisonTable } from "./compare.ts";
import type { TileMemory } from "./memory.ts";
import type { ProgramNode, ProgramTree } from "./program-tree.ts";
import type { ExecutionReport } from "./report.ts";

/** What can be compared with another of its kind. */
export type ComparableReport = ExecutionReport | VertexCensus | TileMemory | ProgramTree;

/** Two reports of one kind side by side, as plain data. */
export interface ReportComparison {
  readonly kind: "report-comparison";
  readonly of: ComparableReport["kind"];
  readonly names: readonly [before: string, after: string];
  /** What is said of the whole. */
  readonly figures: readonly ComparedFigure[];
  /** The same number of parts that have one name; 0 where a report has none. Those that differ most come first. */
  readonly parts: readonly { readonly title: string; readonly figures: readonly ComparedFigure[] }[];
}

type Numbers = ReadonlyMap<string, number>;

/** Numbers of two reports by name, those that differ most first. */
function byName(before: Numbers, after: Numbers): readonly ComparedFigure[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => compared(name, before.get(name) ?? 0, after.get(name) ?? 0))
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
}

/** What a report says: of the whole by name, and lists of parts by title. */
interface Told {
  readonly whole: Numbers;
  readonly parts: Readonly<Record<string, Numbers>>;
}

function tellCensus({ totals, computeSets, variables, variableBytes, degree, mapping, ...lists }: VertexCensus): Told {
  const rows = (list: readonly CensusRow[], count: keyof EdgeCounts): Numbers =>
    new Map(list.map((row) => [row.name, row[count]]));
  return {
    whole: new Map([
      ["vertices", totals.vertices],
      ["edges that are read", totals.inputs],
      ["edges of all fields", totals.fields],
      ["edges from vertex to vertex", totals.produced],
      ["edges read by a vertex, mean", degree.mean],
      ["edges read by a vertex, most", degree.largest],
      ["compute sets", computeSets],
      ["variables", variables],
      ["bytes of variables", variableBytes],
      ["vertices of the fullest tile", mapping.mostVertices],
      ["edges between tiles", mapping.crossingEdges],
      ["bytes between tiles", mapping.crossingBytes],
    ]),
    parts: {
      "vertices of phases": rows(lists.phases, "vertices"),
      "vertices of layers": rows(lists.layers, "vertices"),
      "vertices of codelets": rows(lists.codelets, "vertices"),
      "edges that layers read": rows(lists.layers, "inputs"),
    },
  };
}

const sum = (bytes: Float64Array): number => bytes.reduce((total, value) => total + value, 0);
const largest = (bytes: Iterable<number>): number => {
  let found = 0;
  for (const value of bytes) found = Math.max(found, value);
  return found;
};

function tellMemory(memory: TileMemory): Told {
  const { alwaysLive, vertexState, vertexCode, exchangeCode, controlCode, steps, peak, bytesPerTile } = memory;
  const fixed = [alwaysLive, vertexState, vertexCode, exchangeCode, controlCode].reduce(
    (total, bytes) => total + sum(bytes),
    0,
  );
  // A name that comes again, as that of what is called twice, stands for the step that takes most.
  const atSteps = new Map<string, number>();
  for (const { name, variables, exchange } of steps) {
    atSteps.set(name, Math.max(atSteps.get(name) ?? 0, fixed + sum(variables) + sum(exchange)));
  }
  return {
    whole: new Map([
      ["fullest tile's bytes", largest(peak)],
      ["tiles that have too little", peak.filter((bytes) => bytes > bytesPerTile).length],
      ["bytes of all tiles at their peaks", sum(peak)],
      ["always live bytes", sum(alwaysLive)],
      ["vertex state bytes", sum(vertexState)],
      ["vertex code bytes", sum(vertexCode)],
      ["exchange code bytes", sum(exchangeCode)],
      ["control code bytes", sum(controlCode)],
      ["other variables' bytes at most", largest(steps.map(({ variables }) => sum(variables)))],
      ["exchanged bytes held at most", largest(steps.map(({ exchange }) => sum(exchange)))],
    ]),
    parts: { "bytes of all tiles during steps": atSteps },
  };
}

function tellTree({ root, functions }: ProgramTree): Told {
  const cycles = new Map<string, number>();
  const times = new Map<string, number>();
  let nodes = 0;
  const add = (into: Map<string, number>, path: string, value: number): void => {
    into.set(path, (into.get(path) ?? 0) + value);
  };
  const walk = (node: ProgramNode, above: string): void => {
    nodes++;
    const path = `${above}${node.kind}${node.name === "" ? "" : ` ${node.name}`}`;
    add(cycles, path, node.cycles);
    add(times, path, node.times);
    for (const part of node.parts) walk(part, `${path} › `);
  };
  walk(root, "");
  for (const { name, body } of functions) walk(body, `function ${name} › `);
  return {
    whole: new Map([
      ["cycles", root.cycles],
      ["supersteps", root.supersteps],
      ["bytes", root.bytes],
      ["parts", nodes],
      ["functions", functions.length],
    ]),
    parts: { "cycles of parts": cycles, "times that parts were begun": times },
  };
}

/** What a report of each kind says; executions have a comparison of their own, of which `tell` takes either side. */
function tell(report: Exclude<ComparableReport, ExecutionReport>): Told {
  switch (report.kind) {
    case "vertex-census":
      return tellCensus(report);
    case "tile-memory":
      return tellMemory(report);
    case "program-tree":
      return tellTree(report);
  }
}

/**
 * Compares two executions, two censuses, two memory reports or two program trees: of two programs, of one on two devices,
 * or of one before and after a change.
 *
 * @throws Error if they are not of one kind
 */
export function compareReports<R extends ComparableReport>(
  before: R,
  after: R,
  names: readonly [before: string, after: string] = ["before", "after"],
): ReportComparison {
  if (before.kind !== after.kind) {
    throw new Error(
      `compareReports: both must be of one kind, got ${before.kind} and ${after.kind}; compare what was made by one function`,
    );
  }
  const kind = { kind: "report-comparison", of: before.kind, names } as const;
  if (before.kind === "execution") {
    const { figures, supersteps } = compareRuns(before, after as ExecutionReport, names);
    return { ...kind, figures, parts: [{ title: "cycles of supersteps", figures: supersteps }] };
  }
  const first = tell(before);
  const second = tell(after as Exclude<ComparableReport, ExecutionReport>);
  return {
    ...kind,
    figures: [...first.whole].map(([name, value]) => compared(name, value, second.whole.get(name) as number)),
    parts: Object.keys(first.parts).map((title) => ({
      title,
      figures: byName(first.parts[title], second.parts[title]),
    })),
  };
}

/** A comparison as text: all that is said of the whole, and of each list the parts that differ most. */
export function formatReportComparison({ of, names, figures, parts }: ReportComparison, shown = 10): string {
  const lists = parts.flatMap(({ title, figures: own }) => {
    const different = own.filter(({ before, after }) => before !== after);
    const alike = own.length - different.length;
    const more = Math.max(0, different.length - shown);
    const heading = [`${title}:`, ...(more > 0 ? [`${more} more differ,`] : []), `${alike} alike`].join(" ");
    return [{ heading }, ...different.slice(0, shown)];
  });
  return `${of}\n${comparisonTable(names, [...figures, ...lists])}`;
}
