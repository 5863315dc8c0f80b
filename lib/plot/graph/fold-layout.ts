import type { GraphColumn, GraphNode, GraphReport } from "../../compiler/index.ts";
import type { Box } from "../look/canvas.ts";
import { type GraphGroup, operationsOf } from "./hierarchy.ts";

/** A column of the drawing: what is computed again has one of its own, beside the forward operations that it repeats. */
export type DrawnColumn = GraphColumn | "recomputed";

/** Columns from left to right: down through the network, then back up beside it. A record, so that none is forgotten. */
const columnOrder: Readonly<Record<DrawnColumn, number>> = {
  forward: 0,
  recomputed: 1,
  "input gradient": 2,
  "weight gradient": 3,
  update: 4,
};

export const drawnColumns = Object.keys(columnOrder) as DrawnColumn[];

/** The columns of a report. */
export const graphColumns = drawnColumns.filter((column): column is GraphColumn => column !== "recomputed");

/** The column in which an operation is drawn. */
export function drawnColumn({ column, recomputed }: GraphNode): DrawnColumn {
  return recomputed ? "recomputed" : column;
}

/** One operation, all those of a closed group in one column, or all that update one parameter. */
export interface GraphBox extends Box {
  readonly column: DrawnColumn;
  /** Ids of the operations it stands for. */
  readonly operations: readonly number[];
  readonly row: number;
  /** How many boxes stand above it in its column. */
  readonly rank: number;
}

/** A tensor from outside of the graph, at the left of the row that first reads it. */
export interface GraphChip extends Box {
  readonly name: string;
  readonly source: GraphReport["edges"][number]["source"];
  readonly type: string;
  readonly bytes: number;
}

/** One layer, one closed group, or the heading of an opened block. */
interface GraphRow {
  readonly group: GraphGroup;
  readonly kind: "heading" | "closed" | "operations";
  readonly y: number;
  readonly height: number;
}

/** All tensors between two boxes, drawn as one line. */
export interface GraphLine {
  /** Index of a box, or of a chip where `outside`. */
  readonly from: number;
  readonly to: number;
  readonly outside: boolean;
  readonly bytes: number;
  /** Positions in the report's edges. */
  readonly edges: readonly number[];
}

export interface GraphLayout {
  readonly rows: readonly GraphRow[];
  readonly boxes: readonly GraphBox[];
  readonly chips: readonly GraphChip[];
  readonly lines: readonly GraphLine[];
  /** Edges that have no line: between operations of one box, or from outside to other columns than forward. */
  readonly hidden: { readonly inside: number; readonly outside: number };
  /** Those that have operations, and all of a report without recomputation. */
  readonly columns: readonly { readonly column: DrawnColumn; readonly x: number }[];
  readonly width: number;
  readonly height: number;
}

/** Sizes in pixels. */
export const graphMetrics = {
  labels: 132,
  chip: { width: 92, height: 20, gap: 5 },
  box: { width: 136, height: 33, gap: 7 },
  columnGap: 42,
  rowPadding: 9,
  headingRow: 26,
  top: 34,
} as const;

/**
 * The fold layout: one row for each layer, forward going down, gradients coming back up beside it. Every position
 * follows from the row and the column alone, so nothing is searched for and opening a group leaves all above it in place.
 *
 * Cost: O(operations + edges).
 */
export function layoutGraph(report: GraphReport, root: GraphGroup, open: ReadonlySet<string>): GraphLayout {
  const { labels, chip, box, columnGap, rowPadding, headingRow, top } = graphMetrics;
  const present = drawnColumns.filter(
    (column) => column !== "recomputed" || report.nodes.some(({ recomputed }) => recomputed),
  );
  const columnX = (column: DrawnColumn): number =>
    labels + chip.width + columnGap + present.indexOf(column) * (box.width + columnGap);
  const columnOf = Uint8Array.from(report.nodes, (node) => columnOrder[drawnColumn(node)]);
  const rows: GraphRow[] = [];
  const boxes: GraphBox[] = [];
  const chips: GraphChip[] = [];
  const boxOf = new Int32Array(report.nodes.length).fill(-1);
  const chipOf = new Map<string, number>();
  const outsideOf = chipsByReader(report);
  const chainOf = updateChains(report);
  const ranks = drawnColumns.map(() => 0);
  let y: number = top;

  const placeRow = (group: GraphGroup, kind: "closed" | "operations"): void => {
    const operations = operationsOf(group);
    const membersOf: number[][] = drawnColumns.map(() => []);
    const arriving: number[] = [];
    for (const id of operations) {
      membersOf[columnOf[id]].push(id);
      const outside = outsideOf[id];
      if (outside) arriving.push(...outside);
    }
    const cells = present.map((column) => {
      const members = membersOf[columnOrder[column]];
      if (members.length === 0) return { column, parts: [] };
      const parts =
        kind === "closed" ? [members] : column === "update" ? groupBy(members, chainOf) : members.map((id) => [id]);
      // Forward is read downward, also the second time; what comes back is read upward.
      return { column, parts: column === "forward" || column === "recomputed" ? parts : parts.reverse() };
    });
    const shownChips = kind === "operations" ? arriving : arriving.slice(0, 1);
    const stackHeight = (count: number, size: number, gap: number): number => Math.max(0, count * (size + gap) - gap);
    const inner = Math.max(
      stackHeight(Math.max(...cells.map(({ parts }) => parts.length)), box.height, box.gap),
      stackHeight(shownChips.length, chip.height, chip.gap),
    );
    const height = inner + 2 * rowPadding;
    for (const { column, parts } of cells) {
      let boxY = y + (height - stackHeight(parts.length, box.height, box.gap)) / 2;
      for (const members of parts) {
        for (const id of members) boxOf[id] = boxes.length;
        boxes.push({
          column,
          operations: members,
          row: rows.length,
          rank: ranks[columnOrder[column]]++,
          x: columnX(column),
          y: boxY,
          width: box.width,
          height: box.height,
        });
        boxY += box.height + box.gap;
      }
    }
    let chipY = y + (height - stackHeight(shownChips.length, chip.height, chip.gap)) / 2;
    for (const edge of shownChips) {
      const { name, source, type, bytes } = report.edges[edge];
      const merged = kind === "operations" ? [edge] : arriving;
      for (const each of merged) chipOf.set(report.edges[each].name, chips.length);
      chips.push({
        name: merged.length === 1 ? name : joinNames(merged.map((each) => report.edges[each].name)),
        source,
        type: merged.length === 1 ? type : "",
        bytes: merged.length === 1 ? bytes : merged.reduce((sum, each) => sum + report.edges[each].bytes, 0),
        x: labels,
        y: chipY,
        width: chip.width,
        height: chip.height,
      });
      chipY += chip.height + chip.gap;
    }
    rows.push({ group, kind, y, height });
    y += height;
  };

  const visit = (group: GraphGroup): void => {
    if (group.children.length === 0) placeRow(group, open.has(group.path) ? "operations" : "closed");
    else if (!open.has(group.path)) placeRow(group, "closed");
    else {
      if (group !== root) {
        rows.push({ group, kind: "heading", y, height: headingRow });
        y += headingRow;
      }
      group.children.forEach(visit);
    }
  };
  visit(root);

  const { lines, hidden } = joinBoxes(report, boxes, boxOf, chipOf);
  return {
    rows,
    boxes,
    chips,
    lines,
    hidden,
    columns: present.map((column) => ({ column, x: columnX(column) })),
    width: columnX("update") + box.width,
    height: y,
  };
}

/**
 * For each operation of the update column the first one that it is joined with inside of its layer. What an optimiser
 * does to one parameter is a chain of small operators, and a row would be all update if each had a box.
 */
function updateChains(report: GraphReport): Int32Array {
  const chains = Int32Array.from(report.nodes, (_, index) => index);
  const first = (id: number): number => {
    while (chains[id] !== id) id = chains[id] = chains[chains[id]];
    return id;
  };
  const updates = (id: number): boolean => report.nodes[id].column === "update";
  for (const { from, to } of report.edges) {
    if (from === null || !updates(from) || !updates(to) || report.nodes[from].layer !== report.nodes[to].layer)
      continue;
    const [one, other] = [first(from), first(to)];
    chains[Math.max(one, other)] = Math.min(one, other);
  }
  return chains.map((_, id) => first(id));
}

/** Members of the same group together, groups in the order of their first member. */
function groupBy(members: readonly number[], groupOf: Int32Array): number[][] {
  const groups = new Map<number, number[]>();
  for (const id of members) {
    const group = groups.get(groupOf[id]);
    if (group) group.push(id);
    else groups.set(groupOf[id], [id]);
  }
  return [...groups.values()];
}

/** Two tensors by their short names, more by their number. */
function joinNames(names: readonly string[]): string {
  return names.length === 2 ? names.map(shortName).join(", ") : `${names.length} tensors`;
}

/** A tensor's name without its layer, which the row says: `dense1.weight` is `weight` there. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Edges from outside by the forward operation that reads the tensor first. */
function chipsByReader(report: GraphReport): (number[] | undefined)[] {
  const seen = new Set<string>();
  const byReader = new Array<number[] | undefined>(report.nodes.length).fill(undefined);
  report.edges.forEach(({ from, to, name }, index) => {
    if (from !== null || report.nodes[to].column !== "forward" || seen.has(name)) return;
    seen.add(name);
    const list = byReader[to];
    if (list) list.push(index);
    else byReader[to] = [index];
  });
  return byReader;
}

/**
 * Joins all tensors between the same two places in one line. Edges are sorted by the box that reads them, so that within
 * one reader an array tells which sources already have a line: O(edges + boxes), without a table of pairs.
 */
function joinBoxes(
  report: GraphReport,
  boxes: readonly GraphBox[],
  boxOf: Int32Array,
  chipOf: ReadonlyMap<string, number>,
): { lines: GraphLine[]; hidden: { inside: number; outside: number } } {
  const hidden = { inside: 0, outside: 0 };
  const { edges } = report;
  // Chips are counted on after the boxes: both are places where lines begin.
  const sources = new Int32Array(edges.length).fill(-1);
  const starts = new Int32Array(boxes.length + 1);
  let places = boxes.length;
  for (let edge = 0; edge < edges.length; edge++) {
    const { from, to, name } = edges[edge];
    const target = boxOf[to];
    if (from === null) {
      const chip = boxes[target].column === "forward" ? chipOf.get(name) : undefined;
      if (chip === undefined) {
        hidden.outside++;
        continue;
      }
      sources[edge] = boxes.length + chip;
      places = Math.max(places, boxes.length + chip + 1);
    } else if (boxOf[from] === target) {
      hidden.inside++;
      continue;
    } else sources[edge] = boxOf[from];
    starts[target + 1]++;
  }
  for (let box = 0; box < boxes.length; box++) starts[box + 1] += starts[box];
  const sorted = new Int32Array(starts[boxes.length]);
  const next = starts.slice();
  for (let edge = 0; edge < edges.length; edge++) {
    if (sources[edge] >= 0) sorted[next[boxOf[edges[edge].to]]++] = edge;
  }
  const lines: { from: number; to: number; outside: boolean; bytes: number; edges: number[] }[] = [];
  const lineOf = new Int32Array(places).fill(-1);
  for (let target = 0; target < boxes.length; target++) {
    const firstLine = lines.length;
    for (let position = starts[target]; position < starts[target + 1]; position++) {
      const edge = sorted[position];
      const source = sources[edge];
      if (lineOf[source] >= firstLine) {
        const line = lines[lineOf[source]];
        line.bytes += edges[edge].bytes;
        line.edges.push(edge);
        continue;
      }
      lineOf[source] = lines.length;
      const outside = source >= boxes.length;
      const from = outside ? source - boxes.length : source;
      lines.push({ from, to: target, outside, bytes: edges[edge].bytes, edges: [edge] });
    }
  }
  return { lines, hidden };
}
