import type { GraphReport } from "../../compiler/index.ts";

/** A layer, a block of layers, or a run of neighbours that were too many to stand side by side. */
export interface GraphGroup {
  /** Unique; what the set of opened groups holds. */
  readonly path: string;
  readonly label: string;
  readonly depth: number;
  readonly children: readonly GraphGroup[];
  /** Operations that belong to the group itself, in the order of the schedule. A group has these or children. */
  readonly own: readonly number[];
  /** All operations below. */
  readonly size: number;
}

interface Draft {
  readonly name: string;
  readonly children: Map<string, Draft>;
  readonly own: number[];
}

/** More siblings than this are gathered in runs of neighbours. */
const mostSiblings = 40;
/** About how many members a run has at most. */
const mostMembers = 24;

/** Between the first and the last name of a run: `dense1 … dense24`. */
export const runSeparator = " … ";

/** The name of the row of operations that belong to no layer. */
const lossLabel = "loss";

/** Reads the tree of layers from their paths, such as `block2/conv1`; operations of no layer come last, as the loss. */
export function buildHierarchy(report: GraphReport): GraphGroup {
  const root: Draft = { name: "", children: new Map(), own: [] };
  const known = new Map<string, Draft>();
  const find = (layer: string): Draft => {
    const found = known.get(layer);
    if (found) return found;
    let draft = root;
    for (const name of layer === "" ? [] : layer.split("/")) {
      let child = draft.children.get(name);
      if (!child) draft.children.set(name, (child = { name, children: new Map(), own: [] }));
      draft = child;
    }
    known.set(layer, draft);
    return draft;
  };
  for (const layer of report.layers) find(layer);
  for (const { id, layer } of report.nodes) find(layer).own.push(id);
  return finish(root, "", 0);
}

function finish(draft: Draft, path: string, depth: number): GraphGroup {
  const children: GraphGroup[] = [];
  for (const child of draft.children.values()) {
    const group = finish(child, path === "" ? child.name : `${path}/${child.name}`, depth + 1);
    if (group.size > 0) children.push(group);
  }
  const label = draft.name;
  if (children.length === 0 && depth > 0)
    return { path, label, depth, children: [], own: draft.own, size: draft.own.length };
  if (draft.own.length > 0) {
    // A block's own operations, such as the sum at its end, need a row of their own beside its layers.
    const name = depth === 0 ? lossLabel : label;
    children.push({
      path: `${path}/*`,
      label: name,
      depth: depth + 1,
      children: [],
      own: draft.own,
      size: draft.own.length,
    });
  }
  const size = children.reduce((sum, child) => sum + child.size, 0);
  return { path, label, depth, children: gather(children, path), own: [], size };
}

/** Gathers many siblings into runs of neighbours, and those into longer runs, with about as many members on each level. */
function gather(siblings: readonly GraphGroup[], path: string): readonly GraphGroup[] {
  if (siblings.length <= mostSiblings) return siblings;
  const levels = Math.ceil(Math.log(siblings.length) / Math.log(mostMembers));
  return gatherLevels(siblings, path, Math.ceil(siblings.length ** (1 / levels)));
}

function gatherLevels(siblings: readonly GraphGroup[], path: string, members: number): readonly GraphGroup[] {
  if (siblings.length <= members) return siblings;
  const count = Math.ceil(siblings.length / members);
  const runs = Array.from({ length: count }, (_, index) => {
    const start = Math.floor((index * siblings.length) / count);
    const run = siblings.slice(start, Math.floor(((index + 1) * siblings.length) / count));
    const first = firstLabel(run[0]);
    const last = lastLabel(run[run.length - 1]);
    return {
      path: `${path}/${first}…${last}#${start}`,
      label: first + runSeparator + last,
      depth: run[0].depth,
      children: run.map(deepen),
      own: [],
      size: run.reduce((sum, member) => sum + member.size, 0),
    };
  });
  return gatherLevels(runs, path, members);
}

function deepen(group: GraphGroup): GraphGroup {
  return { ...group, depth: group.depth + 1, children: group.children.map(deepen) };
}

function firstLabel({ label }: GraphGroup): string {
  return label.split(runSeparator)[0];
}

function lastLabel({ label }: GraphGroup): string {
  return label.split(runSeparator).at(-1)!;
}

/** All operations of a group, in the order of the schedule. */
export function operationsOf(group: GraphGroup): number[] {
  const ids: number[] = [];
  const collect = ({ own, children }: GraphGroup): void => {
    for (const id of own) ids.push(id);
    children.forEach(collect);
  };
  collect(group);
  return ids.sort((a, b) => a - b);
}

/** How much a drawing may show: rows while blocks are opened, boxes when at last all layers are. */
export interface GraphLimits {
  readonly rows: number;
  readonly boxes: number;
}

/** Opens groups level by level within the limits: all of a level or none, so that layers that are alike look alike. */
export function chooseOpen(root: GraphGroup, limits: GraphLimits): Set<string> {
  const open = new Set<string>([root.path]);
  let level: readonly GraphGroup[] = root.children;
  while (level.length > 0) {
    const inner = level.filter(({ children }) => children.length > 0);
    for (const { path } of inner) open.add(path);
    if (countRows(root, open) > limits.rows) {
      for (const { path } of inner) open.delete(path);
      return open;
    }
    level = inner.flatMap(({ children }) => children);
  }
  const leaves = leavesOf(root);
  if (root.size <= limits.boxes) for (const { path } of leaves) open.add(path);
  return open;
}

function countRows(group: GraphGroup, open: ReadonlySet<string>): number {
  if (group.children.length === 0 || !open.has(group.path)) return 1;
  return group.children.reduce((sum, child) => sum + countRows(child, open), 0);
}

/** The groups that hold operations themselves, in order. */
export function leavesOf(group: GraphGroup): GraphGroup[] {
  return group.children.length === 0 ? [group] : group.children.flatMap(leavesOf);
}
