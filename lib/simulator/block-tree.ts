import type { BlockProgram, BlockStep, VertexFamily } from "../graph/index.ts";
import type { PlannedBlockStep } from "./block-supersteps.ts";
import type { ProgramNode, ProgramTree } from "./program-tree.ts";

type Sums = Pick<ProgramNode, "supersteps" | "cycles" | "bytes">;

/** A node while its parts are gathered. */
interface Gathered extends Sums {
  readonly kind: ProgramNode["kind"];
  readonly name: string;
  readonly vertices: number;
  readonly parts: Gathered[];
  times: number;
  supersteps: number;
  cycles: number;
  bytes: number;
}

const node = (kind: ProgramNode["kind"], name: string, vertices = 0): Gathered => ({
  kind,
  name,
  vertices,
  parts: [],
  times: 0,
  supersteps: 0,
  cycles: 0,
  bytes: 0,
});

/** The last part if it is a sequence of this name, else a new one. */
function section(parent: Gathered, name: string): Gathered {
  const last = parent.parts.at(-1);
  if (last?.kind === "sequence" && last.name === name) return last;
  const added = node("sequence", name);
  parent.parts.push(added);
  return added;
}

/**
 * A lowered program as a tree: phases, in them layers, in them what is executed and copied. Vertices that are run at
 * several places are functions, which stand beside it.
 *
 * @param runs how often the program was run
 */
export function blockTree(program: BlockProgram, planned: readonly PlannedBlockStep[], runs: number): ProgramTree {
  const { graph, name } = program;
  const { steps } = graph;
  const places = new Map<VertexFamily, number>();
  for (const step of steps) if (step.kind === "execute") places.set(step.family, (places.get(step.family) ?? 0) + 1);
  const isCalled = (step: BlockStep): boolean => step.kind === "execute" && (places.get(step.family) as number) > 1;
  const root = node("sequence", name);
  root.times = runs;
  const functions = new Map<VertexFamily, Gathered>();
  let phase = "forward";
  let layer = "";
  let open: Gathered | null = null;
  let body: Gathered | null = null;
  for (const [index, step] of steps.entries()) {
    const { superstep } = planned[index];
    const called = isCalled(step);
    if (step.kind === "copy") layer = callerOf(step.name) ?? layer;
    else {
      phase = step.family.phase;
      if (!called) layer = step.family.layer;
    }
    const above = [root, section(root, phase)];
    above.push(section(above[1], layer === "" ? "(no layer)" : layer));
    const parent = above[2];
    if (step.kind === "execute" && called) {
      // A function ends where its first vertices come again, and where anything else stands.
      if (open === null || body === null || functions.has(step.family)) {
        body = functions.get(step.family) ?? node("sequence", "");
        functions.set(step.family, body);
        body.times += runs;
        open = node("call", step.family.layer);
        open.times = runs;
        parent.parts.push(open);
      }
      let part = body.parts.find((other) => other.name === step.family.name);
      if (part === undefined) body.parts.push((part = node("execute", step.family.name, step.family.count)));
      part.times += runs;
      above.push(open, body, part);
    } else {
      open = null;
      const own =
        step.kind === "execute" ? node("execute", step.family.name, step.family.count) : node("copy", step.name);
      own.times = runs;
      parent.parts.push(own);
      above.push(own);
    }
    for (const one of above) {
      one.supersteps += runs;
      one.cycles += runs * superstep.cycles;
      one.bytes += runs * (superstep.exchangedBytes + superstep.hostBytes);
    }
  }
  for (const part of root.parts) {
    part.times = runs;
    for (const inner of part.parts) inner.times = runs;
  }
  return {
    kind: "program-tree",
    device: graph.target.name,
    root,
    functions: [...functions].map(([{ layer: first }, own]) => ({ name: first, body: own })),
  };
}

/** The layer whose call a copy is part of. */
function callerOf(copy: string): string | null {
  const end = copy.lastIndexOf("/call/");
  return end < 0 ? null : copy.slice(0, end);
}
