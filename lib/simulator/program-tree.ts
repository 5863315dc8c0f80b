import type { Program } from "../graph/index.ts";

/** A part of a program, and what it has taken. */
export interface ProgramNode {
  readonly kind: Program["kind"];
  /** What is executed, copied, decided or called. */
  readonly name: string;
  /** How often it was begun. */
  readonly times: number;
  /** Vertices that one execution runs; 0 for what is no execution. */
  readonly vertices: number;
  /** Supersteps, cycles and bytes of all times together, with those of its parts and of what it calls. */
  readonly supersteps: number;
  readonly cycles: number;
  readonly bytes: number;
  readonly parts: readonly ProgramNode[];
}

/** A program as a tree with what its parts have taken, as plain data. Called functions stand beside it, once each. */
export interface ProgramTree {
  readonly kind: "program-tree";
  readonly device: string;
  readonly root: ProgramNode;
  /** What `call` nodes call, by name. Sums of a function are of all of its calls. */
  readonly functions: readonly { readonly name: string; readonly body: ProgramNode }[];
}

/** How a tree is written. */
export interface TreeTextOptions {
  /** Levels that are shown; deeper parts are only counted. */
  readonly depth?: number;
}

/** A tree as text: a line a part, and what it has taken. */
export function formatProgramTree(
  { device, root, functions }: ProgramTree,
  { depth = Number.POSITIVE_INFINITY }: TreeTextOptions = {},
): string {
  const rows: string[][] = [["program", "times", "vertices", "supersteps", "cycles", "bytes"]];
  const add = (node: ProgramNode, level: number): void => {
    const { kind, name, times, vertices, supersteps, cycles, bytes, parts } = node;
    const hidden = level + 1 >= depth && parts.length > 0 ? ` (${parts.length} parts)` : "";
    const numbers = [times, vertices, supersteps, cycles, bytes].map((value) => value.toLocaleString("en-US"));
    rows.push([`${"  ".repeat(level)}${kind}${name === "" ? "" : ` ${name}`}${hidden}`, ...numbers]);
    if (hidden === "") for (const part of parts) add(part, level + 1);
  };
  add(root, 0);
  for (const { name, body } of functions) {
    rows.push([`function ${name}`, "", "", "", "", ""]);
    add(body, 1);
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
  return [`${device}: ${root.cycles.toLocaleString("en-US")} cycles`, ...lines].join("\n");
}
