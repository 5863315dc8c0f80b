import type { ProgramNode, ProgramTree } from "../../simulator/index.ts";

/** A line of the drawn tree. */
export interface TreeRow {
  readonly node: ProgramNode;
  /** Unique; what the set of opened rows holds. */
  readonly path: string;
  readonly level: number;
  /** The function whose body it is. */
  readonly named?: string;
}

/** The program and after it the functions that it calls: what stands at the left. */
function rootsOf({ root, functions }: ProgramTree): TreeRow[] {
  return [
    { node: root, path: "program", level: 0 },
    ...functions.map(({ name, body }, index) => ({ node: body, path: `function ${index}`, level: 0, named: name })),
  ];
}

const partsOf = ({ node, path, level }: TreeRow): TreeRow[] =>
  node.parts.map((part, index) => ({ node: part, path: `${path}/${index}`, level: level + 1 }));

/** The rows that are seen while these are open. */
export function treeRows(tree: ProgramTree, open: ReadonlySet<string>): TreeRow[] {
  const visit = (row: TreeRow): TreeRow[] => [row, ...(open.has(row.path) ? partsOf(row).flatMap(visit) : [])];
  return rootsOf(tree).flatMap(visit);
}

/** Opens the parts that take most cycles first, until no more rows fit. */
export function chooseOpenParts(tree: ProgramTree, mostRows: number): Set<string> {
  const open = new Set<string>();
  let rows = rootsOf(tree).length;
  const closed = rootsOf(tree);
  for (;;) {
    closed.sort((a, b) => b.node.cycles - a.node.cycles || a.level - b.level);
    const next = closed.findIndex(({ node }) => node.parts.length > 0 && rows + node.parts.length <= mostRows);
    if (next < 0) return open;
    const [row] = closed.splice(next, 1);
    open.add(row.path);
    rows += row.node.parts.length;
    closed.push(...partsOf(row));
  }
}

/** How many parts there are, and how deep they lie. */
export function measureTree(tree: ProgramTree): { readonly parts: number; readonly depth: number } {
  const measure = ({ parts }: ProgramNode): { parts: number; depth: number } => {
    const inner = parts.map(measure);
    return {
      parts: 1 + inner.reduce((sum, part) => sum + part.parts, 0),
      depth: 1 + inner.reduce((deepest, { depth }) => Math.max(deepest, depth), 0),
    };
  };
  const all = rootsOf(tree).map(({ node }) => measure(node));
  return {
    parts: all.reduce((sum, { parts }) => sum + parts, 0),
    depth: Math.max(...all.map(({ depth }) => depth)),
  };
}
