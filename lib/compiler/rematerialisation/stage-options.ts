import { givenWithout, Replay } from "./replay.ts";
import type { Stage } from "./stages.ts";
import type { Tape } from "./tape.ts";

/** One choice of what neighbouring stages together keep from their forward to their backward pass. */
export interface StageOption {
  /** Roots that are kept; the last stage's result and what comes from outside are there anyway. */
  readonly kept: readonly number[];
  readonly keptBytes: number;
  /** Roots that go when one of the stages has run backward, though another may need them, too, and makes them again. */
  readonly dropped: readonly number[];
  /** Arithmetic of what the backward pass computes again. */
  readonly extraFlops: number;
  /**
   * The most bytes made here alive at once, in the forward and in the backward pass; all that is kept is in both, and
   * in the second the gradients that arrive.
   */
  readonly forwardPeak: number;
  readonly backwardPeak: number;
}

/** What planning knows of a stage. Bytes of what comes into a stage are counted elsewhere. */
export interface StageCosts {
  readonly boundaryBytes: number;
  /** Arithmetic of one forward pass, and the most bytes alive in it when nothing but the result is kept. */
  readonly forwardFlops: number;
  readonly forwardPeak: number;
  /** Bytes of gradients that the stage's backward pass finds on its arrival. */
  readonly gradientBytes: number;
  /**
   * Choices for this stage alone, for it and the next together, and so on: at `[length − 1]`. Together is often better:
   * then what passes from stage to stage need not be kept either.
   */
  readonly options: readonly (readonly StageOption[])[];
}

/** Groups of neighbouring stages that are looked at: in long chains fewer for each stage. */
const mostGroups = 184;
/** Stages in a group at most. */
const longestGroup = 8;
/** Choices measured for a group with so many saved values; the larger ones have more. */
const choices = (saved: number): number => Math.min(24, 6 + Math.ceil(saved / 3));

/** Costs of every stage and, by search inside it and its neighbours, the choices worth having. */
export function stageCosts(tape: Tape, stages: readonly Stage[]): readonly StageCosts[] {
  const gradients = arrivingGradients(tape, stages);
  const longest = Math.max(1, Math.min(longestGroup, Math.floor(mostGroups / stages.length)));
  return stages.map((stage, index) => {
    const groups = Array.from({ length: Math.min(longest, stages.length - index) }, (_, more) =>
      stages.slice(index, index + more + 1),
    );
    return {
      boundaryBytes: sum(stage.boundary, tape.bytes),
      forwardFlops: stage.forward.reduce((total, position) => total + tape.flops[position], 0),
      forwardPeak: forwardPeak(tape, stage),
      gradientBytes: sum(gradients[index], tape.bytes),
      options: groups.map((group, more) => new GroupSearch(tape, group, gradients[index + more]).options()),
    };
  });
}

/** The most bytes alive in a forward pass that keeps only the stage's result. */
function forwardPeak(tape: Tape, { forward }: Stage): number {
  const replay = new Replay(tape, givenWithout(tape, forward));
  for (const position of forward) replay.run(position);
  return replay.liveBytes().reduce(larger, 0);
}

/** Tries what some neighbouring stages may keep. */
class GroupSearch {
  readonly #tape: Tape;
  readonly #stages: readonly Stage[];
  /** Positions of the group's forward operations. */
  readonly #own: ReadonlySet<number>;
  readonly #given: Int32Array;
  readonly #boundary: ReadonlySet<number>;
  /** Roots that the group makes, but for its result. */
  readonly #internals: readonly number[];
  /** Those of them that a backward pass reads, directly or by a view. */
  readonly #saved: readonly number[];
  /** Gradients that the backward pass finds on its arrival. */
  readonly #arriving: readonly number[];

  constructor(tape: Tape, stages: readonly Stage[], arriving: readonly number[]) {
    this.#tape = tape;
    this.#stages = stages;
    this.#arriving = arriving;
    const { root, bytes, inputs, outputs } = tape;
    const forward = stages.flatMap((stage) => stage.forward);
    const backward = stages.flatMap((stage) => stage.backward);
    this.#own = new Set(forward);
    this.#boundary = new Set(stages[stages.length - 1].boundary);
    this.#given = givenWithout(tape, [...forward, ...backward]);
    this.#internals = forward
      .flatMap((position) => [...outputs[position]])
      .filter((id) => root[id] === id && !this.#boundary.has(id));
    const read = new Set(backward.flatMap((position) => Array.from(inputs[position], (id) => root[id])));
    this.#saved = this.#internals.filter((id) => bytes[id] > 0 && read.has(id));
  }

  /**
   * Lets go of one value after the other, always the one that costs least arithmetic for each byte, and measures now
   * and then what comes of it. None of the choices returned takes both more memory and more work than another.
   */
  options(): readonly StageOption[] {
    const { bytes } = this.#tape;
    const order = this.#lettingGo();
    const total = sum(order, bytes);
    const most = choices(order.length);
    const found = [this.#measure(new Set(order), false)];
    let gone = 0;
    let next = 1;
    for (const [index, id] of order.entries()) {
      gone += bytes[id];
      if (index + 1 < order.length && gone < (total * next) / most) continue;
      const kept = new Set(order.slice(index + 1));
      found.push(this.#measure(kept, false));
      if (this.#stages.length > 1) found.push(this.#measure(kept, true));
      while (gone >= (total * next) / most) next++;
    }
    return found.filter((option) => !found.some((other) => isBetter(other, option)));
  }

  /** The saved values in the order in which they are let go. */
  #lettingGo(): readonly number[] {
    const { bytes, flops } = this.#tape;
    const kept = new Set(this.#saved);
    const again = new Set<number>();
    const rates = new Map(this.#saved.map((id) => [id, 0]));
    const order: number[] = [];
    while (kept.size > 0) {
      // What a value costs seldom falls as others go, so an old rate is a lower bound: only the best are looked at again.
      const looked = new Set<number>();
      let best = lowest(kept, rates);
      while (!looked.has(best)) {
        const work = this.#repeated(best, kept, again).reduce((all, position) => all + flops[position], 0);
        rates.set(best, work / bytes[best]);
        looked.add(best);
        best = lowest(kept, rates);
      }
      for (const position of this.#repeated(best, kept, again)) again.add(position);
      kept.delete(best);
      order.push(best);
    }
    return order;
  }

  /** Operations that have to be repeated, besides those that are already, if one more value is not kept. */
  #repeated(id: number, kept: ReadonlySet<number>, again: ReadonlySet<number>): readonly number[] {
    const { root, producer, inputs } = this.#tape;
    const found = new Set([producer[id]]);
    for (const position of found) {
      for (const input of inputs[position]) {
        const value = root[input];
        const made = producer[value];
        // Of the value itself its producer is repeated, so it does not count as kept.
        const there = (kept.has(value) && value !== id) || this.#boundary.has(value);
        if (!there && this.#own.has(made) && !again.has(made)) found.add(made);
      }
    }
    return [...found];
  }

  #measure(keep: ReadonlySet<number>, drops: boolean): StageOption {
    const replay = new Replay(this.#tape, this.#given);
    for (const stage of this.#stages) for (const position of stage.forward) replay.run(position);
    const leaving = this.#internals.filter((id) => !keep.has(id));
    replay.forget(leaving);
    const dropped = drops ? leaving : [];
    const turn = replay.length;
    for (const stage of [...this.#stages].reverse()) {
      for (const position of stage.backward) replay.run(position);
      replay.forget(dropped);
    }
    const live = replay.liveBytes(this.#arriving, turn);
    return {
      kept: [...keep],
      keptBytes: sum(keep, this.#tape.bytes),
      dropped,
      extraFlops: replay.extraFlops,
      forwardPeak: live.subarray(0, turn).reduce(larger, 0),
      backwardPeak: live.subarray(turn).reduce(larger, 0),
    };
  }
}

function lowest(ids: Iterable<number>, rates: ReadonlyMap<number, number>): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (const id of ids) {
    const rate = rates.get(id) as number;
    if (rate < least) [best, least] = [id, rate];
  }
  return best;
}

/** Whether one choice is as good as another in everything and better in something. */
function isBetter(a: StageOption, b: StageOption): boolean {
  const asGood = a.keptBytes <= b.keptBytes && a.extraFlops <= b.extraFlops && a.backwardPeak <= b.backwardPeak;
  return asGood && (a.keptBytes < b.keptBytes || a.extraFlops < b.extraFlops || a.backwardPeak < b.backwardPeak);
}

/** By stage: what the backward pass of later stages makes and that of this or an earlier one reads. */
function arrivingGradients({ inputs, root, producer }: Tape, stages: readonly Stage[]): readonly (readonly number[])[] {
  const stageOf = new Map<number, number>();
  for (const [index, { backward }] of stages.entries()) for (const position of backward) stageOf.set(position, index);
  const earliest = new Map<number, number>();
  for (const [position, index] of stageOf) {
    for (const id of inputs[position]) {
      const made = stageOf.get(producer[root[id]]);
      if (made !== undefined && made > index) earliest.set(root[id], Math.min(index, earliest.get(root[id]) ?? index));
    }
  }
  const arriving: number[][] = stages.map(() => []);
  for (const [id, index] of earliest) {
    for (let stage = index; stage < (stageOf.get(producer[id]) as number); stage++) arriving[stage].push(id);
  }
  return arriving;
}

function sum(ids: Iterable<number>, bytes: Float64Array): number {
  let total = 0;
  for (const id of ids) total += bytes[id];
  return total;
}

function larger(a: number, b: number): number {
  return Math.max(a, b);
}
