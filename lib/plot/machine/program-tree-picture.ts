import type { ProgramNode, ProgramTree } from "../../simulator/index.ts";
import { type Canvas, drawBox, drawLine, drawText, fontSize, type Picture, round } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatBytes, formatCount, formatPercent, plural } from "../look/format.ts";
import { inkOn, type Theme } from "../look/theme.ts";
import { chooseOpenParts, measureTree, type TreeRow, treeRows } from "./program-tree.ts";

const width = 852;
const rowHeight = 20;
const barHeight = 22;
/** Levels of the strip of cycles; deeper ones are in the rows. */
const mostLevels = 5;
/** What a picture on a page can hold. */
const mostRows = 36;

/** Where the numbers of a row end, and what they are. */
const columns = [
  { title: "times", x: 470 },
  { title: "vertices", x: 540 },
  { title: "supersteps", x: 620 },
  { title: "cycles", x: 700 },
  { title: "exchanged", x: 852 },
] as const;
const share = { x: 712, width: 52 };

/** Programs of the same kind have the same colour; the kinds that only hold others have pale ones. */
function kindColor(kind: ProgramNode["kind"], theme: Theme): string {
  switch (kind) {
    case "execute":
      return theme.series[0];
    case "copy":
      return theme.series[1];
    case "call":
    case "repeat":
    case "repeatWhile":
    case "if":
    case "switch":
      return theme.series[3];
    case "sequence":
      return theme.outline;
    default:
      return theme.series[6];
  }
}

/** What was executed, how often, and what it took, in one line. */
export function treeFacts(tree: ProgramTree): string {
  const { parts, depth } = measureTree(tree);
  const { root, functions } = tree;
  const called = functions.length > 0 ? ` and ${plural(functions.length, "function")} that it calls` : "";
  const taken =
    root.cycles > 0
      ? `run ${plural(root.times, "time")}: ${formatCount(root.cycles)} cycles in ${plural(root.supersteps, "superstep")}, ${formatBytes(root.bytes)} exchanged`
      : "not run yet";
  return `${plural(parts, "part")} on ${plural(depth, "level")}${called}; ${taken}.`;
}

export function treeSummary(tree: ProgramTree): string {
  return `${treeTitle(tree)}: ${treeFacts(tree)}`;
}

export function treeTitle({ root, device }: ProgramTree): string {
  return `Program${root.name === "" ? "" : ` ${root.name}`} on ${device}`;
}

/**
 * The tree with the parts that take most opened: above, cycles across and levels down; below, a row for each part.
 *
 * @param open the opened rows, where they are marked as what a click opens and closes
 */
export function treePicture(tree: ProgramTree, open?: ReadonlySet<string>): Picture {
  const rows = treeRows(tree, open ?? chooseOpenParts(tree, mostRows));
  const closed = rows.some(
    ({ node }, index) => node.parts.length > 0 && (rows[index + 1]?.level ?? 0) <= rows[index].level,
  );
  return {
    title: treeTitle(tree),
    subtitle: [
      treeFacts(tree),
      tree.root.cycles > 0 ? "Across, the cycles of each part; below it what it consists of." : "",
      open ? "Click a part to open or close it." : closed ? "Parts that take least are closed." : "",
    ]
      .filter((text) => text !== "")
      .join("\n"),
    width,
    draw(canvas, theme) {
      const top = tree.root.cycles > 0 ? drawCycles(canvas, tree.root, theme) + 30 : 10;
      drawHeadings(canvas, top, theme);
      for (const [index, row] of rows.entries()) {
        drawRow(canvas, tree, row, index, top + 12 + index * rowHeight, open, theme);
      }
      return top + 14 + rows.length * rowHeight;
    },
  };
}

/** Levels below each other, parts as wide as their cycles. */
function drawCycles(canvas: Canvas, root: ProgramNode, theme: Theme): number {
  let deepest = 0;
  const visit = (node: ProgramNode, path: string, level: number, left: number): void => {
    const wide = (node.cycles / root.cycles) * width;
    if (level >= mostLevels || wide < 0.4) return;
    deepest = Math.max(deepest, level);
    const color = kindColor(node.kind, theme);
    const gap = wide > 3 ? 0.5 : 0;
    const box = { x: left + gap, y: level * barHeight, width: wide - 2 * gap, height: barHeight - 2 };
    const part = canvas.append("g").attr("data-path", path) as Canvas;
    drawBox(part, box, color, wide > 6 ? 2 : 0);
    const name = shortPart(node);
    if (wide > 34 && textWidth(name, fontSize.small) <= wide - 10) {
      drawText(part, name, left + wide / 2, box.y + 14, {
        size: fontSize.small,
        fill: node.kind === "sequence" ? theme.text : inkOn(color),
        anchor: "middle",
      });
    }
    let x = left;
    node.parts.forEach((inner, index) => {
      visit(inner, `${path}/${index}`, level + 1, x);
      x += (inner.cycles / root.cycles) * width;
    });
  };
  visit(root, "program", 0, 0);
  return (deepest + 1) * barHeight;
}

/** A part by the end of its path: `dense1/forward/matmul/partials` is `matmul/partials` within its layer and phase. */
function shortPart({ kind, name }: ProgramNode): string {
  if (name === "") return kind;
  const path = name.split("/");
  return kind === "execute" && path.length > 2 ? path.slice(2).join("/") : name;
}

function drawHeadings(canvas: Canvas, y: number, theme: Theme): void {
  const style = { weight: "semibold", fill: theme.text } as const;
  drawText(canvas, "Part", 0, y, style);
  for (const { title, x } of columns) drawText(canvas, title, x, y, { ...style, anchor: "end" });
}

function drawRow(
  canvas: Canvas,
  tree: ProgramTree,
  row: TreeRow,
  index: number,
  top: number,
  open: ReadonlySet<string> | undefined,
  theme: Theme,
): void {
  const { node, path, level, named } = row;
  const group = canvas.append("g").attr("data-row", index).attr("data-path", path) as Canvas;
  if (open) drawBox(group, { x: 0, y: top - 3, width, height: rowHeight }, theme.card);
  drawLine(group, [0, top - 3], [width, top - 3], theme.grid);
  const y = top + 11;
  const x = level * 16 + (open ? 14 : 0);
  if (open && node.parts.length > 0) {
    const shape = open.has(path) ? `M${x - 13} ${y - 6.5}h8l-4 5.5z` : `M${x - 11.5} ${y - 8}v8l5.5 -4z`;
    group.append("path").attr("d", shape).attr("fill", theme.muted);
  }
  drawBox(group, { x, y: round(y - 8.5), width: 9, height: 9 }, kindColor(node.kind, theme), 2);
  const kind = named === undefined ? node.kind : `function ${named}, ${node.kind}`;
  drawText(group, kind, x + 15, y, { fill: theme.muted, maxWidth: 400 - x });
  const beside = x + 15 + textWidth(kind, fontSize.body) + 7;
  drawText(group, node.name, beside, y, {
    fill: theme.text,
    weight: node.parts.length > 0 ? "semibold" : "regular",
    maxWidth: 438 - beside,
    keep: "end",
  });
  const numbers = [
    formatCount(node.times),
    node.vertices === 0 ? "" : formatCount(node.vertices),
    formatCount(node.supersteps),
    formatCount(node.cycles),
    node.bytes === 0 ? "–" : formatBytes(node.bytes),
  ];
  numbers.forEach((text, column) => {
    drawText(group, text, columns[column].x, y, { fill: theme.muted, anchor: "end" });
  });
  if (tree.root.cycles === 0) return;
  const part = Math.min(1, node.cycles / tree.root.cycles);
  drawBox(group, { x: share.x, y: y - 8, width: share.width, height: 8 }, theme.band, 2);
  drawBox(group, { x: share.x, y: y - 8, width: share.width * part, height: 8 }, theme.series[0], part > 0.08 ? 2 : 0);
}

/** What a tooltip says of a part. */
export function describePart(tree: ProgramTree, node: ProgramNode): readonly (readonly [string, string])[] {
  return [
    ["times", formatCount(node.times)],
    ...(node.vertices > 0 ? [["vertices", formatCount(node.vertices)] as const] : []),
    ["supersteps", formatCount(node.supersteps)],
    ["cycles", `${formatCount(node.cycles)}, ${formatPercent(node.cycles / Math.max(1, tree.root.cycles))}`],
    ["exchanged", formatBytes(node.bytes)],
    ["parts", formatCount(node.parts.length)],
  ];
}
