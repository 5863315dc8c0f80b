import { type Graph, type Program, partsOf, type TensorView } from "../graph/index.ts";

/** A program that takes supersteps: those that read or write memory. */
export type Step = Extract<
  Program,
  { kind: "execute" | "copy" | "copyIn" | "copyOut" | "repeatWhile" | "if" | "switch" | "printTensor" }
>;

/** Variables that a step reads, and that it writes; `replaced` are those of which it writes every element. */
export interface StepAccess {
  readonly reads: ReadonlySet<number>;
  readonly writes: ReadonlySet<number>;
  readonly replaced: ReadonlySet<number>;
}

/** When variables hold something that is still wanted. */
export interface Liveness {
  /** Steps in the order of the program; a called function's once. */
  readonly steps: readonly Step[];
  /** Variables that must keep their memory from run to run. */
  readonly alwaysLive: ReadonlySet<number>;
  /** For each step, the other variables that are alive while it runs. */
  readonly liveDuring: readonly ReadonlySet<number>[];
}

/**
 * Backward liveness over the program's tree. Always live are constants, what a run reads before it has written all of
 * it (inputs, weights), and what the program does not read after writing it (results, which only the host can want).
 * Anything else is made and used within a run, and its memory may serve others before and after.
 */
export function findLiveness(graph: Graph, program: Program, accessOf: (step: Step) => StepAccess): Liveness {
  const places = new Map<Step, number>();
  const liveDuring: Set<number>[] = [];
  const everRead = new Set<number>();
  numberSteps(program, places, new Set());
  for (const step of places.keys()) {
    liveDuring.push(new Set());
    for (const variable of accessOf(step).reads) everRead.add(variable);
  }

  /** What is alive before a step that is run with this alive after it. */
  const through = (step: Step, after: ReadonlySet<number>): Set<number> => {
    const { reads, writes, replaced } = accessOf(step);
    const during = liveDuring[places.get(step) as number];
    for (const set of [after, reads, writes]) for (const variable of set) during.add(variable);
    return new Set([...after].filter((variable) => !replaced.has(variable)).concat(...reads));
  };

  const before = (part: Program, after: ReadonlySet<number>): ReadonlySet<number> => {
    switch (part.kind) {
      case "sequence":
        return part.programs.reduceRight((alive, inner) => before(inner, alive), after);
      case "execute":
      case "copy":
      case "copyIn":
      case "copyOut":
      case "printTensor":
        return through(part, after);
      case "repeat":
        return part.count === 0 ? after : fixedPoint((again) => before(part.body, joined(after, again)));
      case "repeatWhile":
        return fixedPoint((again) => {
          const exits = through(part, joined(after, before(part.body, again)));
          return before(part.condition, exits);
        });
      case "if":
        return through(part, joined(before(part.then, after), before(part.otherwise, after)));
      case "switch": {
        const cases = [...part.cases.values(), part.otherwise];
        return through(part, joined(...cases.map((inner) => before(inner, after))));
      }
      case "call":
        return before(part.callee.body, after);
      case "errorProgram":
        return after;
    }
  };

  const alwaysLive = new Set(before(program, new Set()));
  for (const { id, constant } of graph.variables.all) if (constant || !everRead.has(id)) alwaysLive.add(id);
  for (const during of liveDuring) for (const variable of alwaysLive) during.delete(variable);
  return { steps: [...places.keys()], alwaysLive, liveDuring };
}

/** Variables that a tensor has elements of. */
export function variablesOf(tensor: TensorView): Set<number> {
  return new Set(tensor.runs.map(({ variable }) => variable));
}

/** Numbers the steps in the order of the program; what is there twice counts where it is first. */
function numberSteps(part: Program, places: Map<Step, number>, seen: Set<Program>): void {
  if (seen.has(part)) return;
  seen.add(part);
  const parts = partsOf(part);
  // A loop's condition is made before it is looked at.
  const first = part.kind === "repeatWhile" ? 1 : 0;
  for (const inner of parts.slice(0, first)) numberSteps(inner, places, seen);
  if (isStep(part)) places.set(part, places.size);
  for (const inner of parts.slice(first)) numberSteps(inner, places, seen);
}

const stepKinds: ReadonlySet<Program["kind"]> = new Set<Step["kind"]>([
  "execute",
  "copy",
  "copyIn",
  "copyOut",
  "repeatWhile",
  "if",
  "switch",
  "printTensor",
]);

function isStep(part: Program): part is Step {
  return stepKinds.has(part.kind);
}

/** The least set that the change gives back; sets only grow on the way, so there is an end. */
function fixedPoint(change: (alive: ReadonlySet<number>) => ReadonlySet<number>): ReadonlySet<number> {
  let alive: ReadonlySet<number> = new Set();
  for (;;) {
    const next = joined(alive, change(alive));
    if (next.size === alive.size) return next;
    alive = next;
  }
}

function joined(...sets: readonly ReadonlySet<number>[]): Set<number> {
  return new Set(sets.flatMap((set) => [...set]));
}
