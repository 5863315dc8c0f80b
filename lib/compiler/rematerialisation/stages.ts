import { isElementwise, type Tape } from "./tape.ts";

/** A stretch of the forward pass and the stretch of the backward pass that belongs to it. */
export interface Stage {
  /** Positions of operations in the graph, in order. */
  readonly forward: readonly number[];
  readonly backward: readonly number[];
  /** Roots that this stage makes and a later one's forward reads: its result. */
  readonly boundary: readonly number[];
}

/** Values that may cross from one stage to the next: one in chains and residual networks, two in LSTMs. */
const mostCrossing = 4;
/** Fewer stages than this for each so many operations that are not element-wise: then more values may cross. */
const operationsPerStage = 24;
/** A stage with a larger share than this of those operations is one that should have been cut: more values may cross, too. */
const largestShare = 0.5;
/** A cut that more than so many times the bytes cross than one of so many before it, and one after it, is none. */
const largestRise = 2;
const neighbourhood = 3;

/**
 * Cuts a tape where few values cross from what is before to what is after: between layers, residual blocks or time
 * steps. No cut comes before an element-wise operation or a view, which belongs to what it is applied to.
 */
export function stagesOf(tape: Tape): readonly Stage[] {
  const { graph, forward } = tape;
  const { values: crossing, bytes } = crossings(tape);
  const heavy = forward.flatMap((position, index) => (isElementwise(graph.operations[position]) ? [] : [index]));
  const enough = Math.max(3, heavy.length / operationsPerStage);
  let cuts: readonly number[] = [];
  for (let most = 1; most <= mostCrossing; most++) {
    const all = heavy.filter((index) => index > 0 && crossing[index] <= most);
    // Where a single value crosses, it is a layer's result, of whatever size.
    cuts = most === 1 ? all : withoutPeaks(all, bytes);
    if (all.length >= enough && longestStretch(heavy, all) <= largestShare * heavy.length) break;
  }
  return assemble(tape, [0, ...cuts]);
}

/**
 * Cuts without those in the middle of something, such as between the two products of a step of an LSTM: as few values
 * cross there as between steps, but larger ones, and a plan in which checkpoints may lie there keeps more than it spares.
 */
function withoutPeaks(cuts: readonly number[], bytes: Float64Array): readonly number[] {
  const least = (some: readonly number[]): number =>
    some.reduce((low, index) => Math.min(low, bytes[index]), Number.POSITIVE_INFINITY);
  return cuts.filter((index, number) => {
    const before = least(cuts.slice(Math.max(0, number - neighbourhood), number));
    const after = least(cuts.slice(number + 1, number + 1 + neighbourhood));
    return bytes[index] <= largestRise * Math.max(before, after);
  });
}

/** Of some places in order, the most that lie between two cuts. */
function longestStretch(places: readonly number[], cuts: readonly number[]): number {
  let longest = 0;
  let length = 0;
  let next = 0;
  for (const place of places) {
    if (place === cuts[next]) {
      next++;
      length = 0;
    }
    longest = Math.max(longest, ++length);
  }
  return longest;
}

/** Joins neighbours until there are at most so many stages, each with about as many bytes as the others. */
export function mergeStages(tape: Tape, stages: readonly Stage[], most: number): readonly Stage[] {
  if (stages.length <= most) return stages;
  const weight = stages.map((stage) => stageBytes(tape, stage));
  const total = weight.reduce((sum, bytes) => sum + bytes, 0);
  const starts: number[] = [];
  let index = 0;
  let bytes = 0;
  for (const [number, stage] of stages.entries()) {
    // A stage begins a group where the middle of its bytes passes the group's share.
    if (starts.length === 0 || bytes + weight[number] / 2 >= (total * starts.length) / most) starts.push(index);
    index += stage.forward.length;
    bytes += weight[number];
  }
  return assemble(tape, starts);
}

/** Bytes that a stage's forward makes. */
function stageBytes({ graph, bytes }: Tape, { forward }: Stage): number {
  let sum = 0;
  for (const position of forward) for (const { id } of graph.operations[position].outputs) sum += bytes[id];
  return sum;
}

/** By place in the forward pass: the values made before it that the forward pass reads from there on, and their bytes. */
function crossings({ graph, forward, producer, root, bytes }: Tape): { values: Int32Array; bytes: Float64Array } {
  const made = new Map<number, number>();
  const last = new Map<number, number>();
  for (const [index, position] of forward.entries()) {
    const { inputs, outputs } = graph.operations[position];
    for (const { id } of inputs) if (producer[root[id]] >= 0) last.set(root[id], index);
    for (const { id } of outputs) if (root[id] === id && bytes[id] > 0) made.set(id, index);
  }
  const values = new Int32Array(forward.length + 1);
  const sizes = new Float64Array(forward.length + 1);
  for (const [id, index] of made) {
    const end = Math.max(index, last.get(id) ?? index) + 1;
    values[index + 1]++;
    values[end]--;
    sizes[index + 1] += bytes[id];
    sizes[end] -= bytes[id];
  }
  for (let index = 1; index < values.length; index++) {
    values[index] += values[index - 1];
    sizes[index] += sizes[index - 1];
  }
  return { values, bytes: sizes };
}

/** Makes stages that begin at these places of the forward pass. */
function assemble(tape: Tape, starts: readonly number[]): readonly Stage[] {
  const { graph, forward, backward, producer, root, bytes } = tape;
  const stageOf = new Int32Array(graph.operations.length).fill(-1);
  const forwards = starts.map((start, stage) => forward.slice(start, starts[stage + 1] ?? forward.length));
  for (const [stage, positions] of forwards.entries()) for (const position of positions) stageOf[position] = stage;
  const boundaries = starts.map(() => new Set<number>());
  for (const position of forward) {
    for (const { id } of graph.operations[position].inputs) {
      const made = producer[root[id]];
      if (made < 0 || bytes[root[id]] === 0) continue;
      for (let stage = stageOf[made]; stage < stageOf[position]; stage++) boundaries[stage].add(root[id]);
    }
  }
  // The backward pass goes from the last stage to the first, and moves on when it reads what only an earlier one has.
  const backwards: number[][] = starts.map(() => []);
  let stage = starts.length - 1;
  for (const position of backward) {
    let latest = -1;
    for (const { id } of graph.operations[position].inputs) {
      const made = producer[root[id]];
      if (made < 0 || bytes[root[id]] === 0 || stageOf[made] < 0) continue;
      const own = stageOf[made];
      latest = Math.max(latest, boundaries[own].has(root[id]) ? own + 1 : own);
    }
    if (latest >= 0) stage = Math.min(stage, latest);
    backwards[stage].push(position);
  }
  return forwards.map((positions, index) => ({
    forward: positions,
    backward: backwards[index],
    boundary: [...boundaries[index]],
  }));
}

/** Bytes that a forward pass makes: an upper end for budgets. */
export function everythingBytes(tape: Tape, stages: readonly Stage[]): number {
  return stages.reduce((total, stage) => total + stageBytes(tape, stage), 0);
}
