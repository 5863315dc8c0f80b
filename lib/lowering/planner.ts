import type { Target, TilePrecision } from "../graph/index.ts";
import type { Cut, Grain, Work, WorkCost } from "./grain.ts";

/** Settings of the planned grain. */
export interface PlanOptions {
  /** The part of a tile's memory that a work may take while it runs; 0.6 unless told otherwise, as PopLibs has it. */
  readonly memoryShare?: number;
  /** Whether to look at every number of pieces, useful or not, which changes nothing but the time; false unless told otherwise. */
  readonly exhaustive?: boolean;
  /** Whether repeated partitions are mapped once and called; false unless told otherwise. */
  readonly outline?: boolean;
  /** Half to hold tensors in half precision: sums, and tensors of no axis, stay single; single unless told otherwise. */
  readonly precision?: TilePrecision;
}

/** A cut of a work that the planner has looked at. */
export interface Plan {
  /** The debug path of the work. */
  readonly name: string;
  readonly axes: readonly string[];
  readonly items: readonly number[];
  readonly cut: Cut;
  /** Cycles from the first synchronisation to the last tile's end, of all serial steps. */
  readonly estimatedCycles: number;
  /** Bytes on a tile of what a step reads and writes. */
  readonly temporaryBytes: number;
  /** Cuts that were compared. */
  readonly considered: number;
}

/** How many parts each result is made of: the pieces of the last axes, multiplied. */
export function partsOf(pieces: readonly number[], summed = 1): number {
  return pieces.slice(-summed).reduce((product, count) => product * count, 1);
}

/** Cycles of a cut: everything arrives, the largest vertex computes, and partial results are gathered and added up. */
function cyclesOf(cost: WorkCost, parts: number, { exchangeBytesPerCycle, syncCycles }: Target): number {
  const main = syncCycles + Math.ceil(cost.inputBytes / exchangeBytesPerCycle) + cost.computeCycles;
  if (parts === 1) return main;
  return main + syncCycles + Math.ceil(cost.reduceBytes / exchangeBytesPerCycle) + cost.reduceCycles;
}

/** Numbers of pieces that differ in the size of the largest piece: of those that do not, more only cost more. */
function usefulPieces(items: number, most: number): readonly number[] {
  const found: number[] = [];
  let last = 0;
  for (let pieces = 1; pieces <= Math.min(items, most); pieces++) {
    const largest = Math.ceil(items / pieces);
    if (largest !== last) found.push(pieces);
    last = largest;
  }
  return found;
}

/** Every number of pieces. */
function allPieces(items: number, most: number): readonly number[] {
  return Array.from({ length: Math.min(items, most) }, (_, index) => index + 1);
}

/** What `bestCut` may choose from. */
type Candidates = (items: number, most: number) => readonly number[];

/**
 * The cut of a work that takes fewest cycles among those whose vertices find room in their share of a tile; where none
 * does, the work is cut into serial steps along its first axis; where that is not enough, the cut that takes least memory.
 * Every useful number of pieces of every axis is looked at, as long as there is a tile for each box.
 */
export function bestCut(work: Work, target: Target, memoryShare: number, candidates: Candidates = usefulPieces): Plan {
  const room = memoryShare * target.bytesPerTile;
  let considered = 0;
  let smallest: Plan | undefined;
  for (let serial = 1; serial <= work.items[0]; serial *= 2) {
    const items = [Math.ceil(work.items[0] / serial), ...work.items.slice(1)];
    const steps = Math.ceil(work.items[0] / items[0]);
    let best: Plan | undefined;
    const visit = (axis: number, pieces: readonly number[], product: number): void => {
      if (axis < items.length) {
        for (const next of candidates(items[axis], Math.floor(target.tileCount / product))) {
          visit(axis + 1, [...pieces, next], product * next);
        }
        return;
      }
      considered++;
      const sizes = items.map((count, other) => Math.ceil(count / pieces[other]));
      const cost = work.cost(sizes, pieces);
      const estimatedCycles = steps * cyclesOf(cost, partsOf(pieces, work.summed), target);
      const temporaryBytes = cost.inputBytes + cost.outputBytes;
      const plan: Plan = {
        name: work.name,
        axes: work.axes,
        items: work.items,
        cut: { pieces, serial: steps },
        estimatedCycles,
        temporaryBytes,
        considered: 0,
      };
      if (temporaryBytes <= room && (best === undefined || estimatedCycles < best.estimatedCycles)) best = plan;
      if (smallest === undefined || temporaryBytes < smallest.temporaryBytes) smallest = plan;
    };
    visit(0, [], 1);
    if (best !== undefined) return { ...best, considered };
  }
  if (smallest === undefined) throw new Error(`internal: nothing to cut in ${work.name}`);
  return { ...smallest, considered };
}

/** The planned grain, and the plans that it has made so far. */
export interface PlannedGrain extends Grain {
  readonly plans: readonly Plan[];
}

/**
 * The planned grain: products and convolutions are cut into boxes for tiles, a vertex each, by `bestCut`; what is done
 * block by block is a vertex a tile, with the blocks that lie there.
 */
export function plannedGrain({ memoryShare = 0.6, exhaustive = false }: PlanOptions = {}): PlannedGrain {
  if (!(memoryShare > 0 && memoryShare <= 1)) {
    throw new Error(`planned grain: the share of memory must be above 0 to 1, got ${memoryShare}; try 0.6`);
  }
  const candidates = exhaustive ? allPieces : usefulPieces;
  const plans: Plan[] = [];
  const known = new Map<string, Plan>();
  return {
    kind: "planned",
    // What the matrix unit takes at a time.
    group: 16,
    samples: 8,
    byTile: true,
    plans,
    cut(work, target) {
      let plan = known.get(work.key);
      if (plan === undefined) known.set(work.key, (plan = bestCut(work, target, memoryShare, candidates)));
      plans.push({ ...plan, name: work.name });
      return plan.cut;
    },
  };
}
