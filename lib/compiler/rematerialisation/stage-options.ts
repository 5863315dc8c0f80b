import { inputsOf, Replay } from "./replay.ts";
import { type Stage, stageBytes } from "./stages.ts";
import type { Tape } from "./tape.ts";

/** One choice of what a stage keeps from its forward to its backward pass. */
export interface StageOption {
  /** Roots that are kept; the stage's result and what comes from outside are there anyway. */
  readonly kept: readonly number[];
  readonly keptBytes: number;
  /** Arithmetic of what its backward pass computes again. */
  readonly extraFlops: number;
  /** The most bytes of this stage alive at once, in its forward and in its backward pass; all that is kept is in both. */
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
  /** From everything kept to nothing kept; none takes both more memory and more work than another. */
  readonly options: readonly StageOption[];
}

/** More choices than these make plans slow to find and hardly better. */
const mostOptions = 14;

/** Costs of every stage and, by search inside it, the choices worth having. */
export function stageCosts(tape: Tape, stages: readonly Stage[]): readonly StageCosts[] {
  const gradients = arrivingGradients(tape, stages);
  return stages.map((stage, index) => {
    const search = new StageSearch(tape, stage);
    return {
      boundaryBytes: sum(stage.boundary, tape.bytes),
      forwardFlops: stage.forward.reduce((total, position) => total + tape.flops[position], 0),
      forwardPeak: search.forwardPeak(),
      gradientBytes: gradients[index],
      options: search.options(),
    };
  });
}

/** Tries what one stage may keep. */
class StageSearch {
  readonly #tape: Tape;
  readonly #stage: Stage;
  /** Positions of the stage's forward operations. */
  readonly #own: ReadonlySet<number>;
  readonly #given: ReturnType<typeof inputsOf>;
  readonly #boundary: ReadonlySet<number>;
  /** Roots that the stage makes. */
  readonly #internals: readonly number[];
  /** Those of them that a backward pass reads, directly or by a view. */
  readonly #saved: readonly number[];

  constructor(tape: Tape, stage: Stage) {
    this.#tape = tape;
    this.#stage = stage;
    const { graph, root, bytes, producer } = tape;
    this.#own = new Set(stage.forward);
    this.#boundary = new Set(stage.boundary);
    const mine = new Set([...stage.forward, ...stage.backward]);
    this.#given = inputsOf(tape);
    for (const [position, { outputs }] of graph.operations.entries()) {
      if (!mine.has(position)) for (const value of outputs) this.#given[value.id] = value;
    }
    const made = stage.forward.flatMap((position) => graph.operations[position].outputs.map(({ id }) => id));
    this.#internals = made.filter((id) => root[id] === id && !this.#boundary.has(id));
    const read = new Set(
      stage.backward.flatMap((position) => graph.operations[position].inputs.map(({ id }) => root[id])),
    );
    this.#saved = this.#internals.filter((id) => bytes[id] > 0 && producer[id] >= 0 && read.has(id));
  }

  /** The most bytes alive in a forward pass that keeps only the stage's result. */
  forwardPeak(): number {
    const replay = new Replay(this.#tape, this.#given);
    for (const position of this.#stage.forward) replay.run(position);
    return Math.max(0, ...replay.liveBytes());
  }

  /**
   * Lets go of one value after the other, always the one that costs least arithmetic for each byte, and measures what
   * comes of it.
   */
  options(): readonly StageOption[] {
    const kept = new Set(this.#saved);
    const found = [this.#measure(kept)];
    let flops = this.#flops(kept);
    while (kept.size > 0) {
      let best = -1;
      let least = Number.POSITIVE_INFINITY;
      for (const id of [...kept]) {
        kept.delete(id);
        const rate = (this.#flops(kept) - flops) / this.#tape.bytes[id];
        kept.add(id);
        if (rate < least) [best, least] = [id, rate];
      }
      kept.delete(best);
      flops = this.#flops(kept);
      found.push(this.#measure(kept));
    }
    return thin(found.filter((option) => !found.some((other) => isBetter(other, option))));
  }

  /** Arithmetic that the backward pass repeats where only these are kept. */
  #flops(kept: ReadonlySet<number>): number {
    const { graph, root, producer, flops } = this.#tape;
    const again = new Set<number>();
    const wanted: number[] = [];
    const want = (id: number): void => {
      const value = root[id];
      const position = producer[value];
      if (kept.has(value) || this.#boundary.has(value) || !this.#own.has(position) || again.has(position)) return;
      again.add(position);
      wanted.push(position);
    };
    for (const position of this.#stage.backward) for (const { id } of graph.operations[position].inputs) want(id);
    let total = 0;
    for (let position = wanted.pop(); position !== undefined; position = wanted.pop()) {
      total += flops[position];
      for (const { id } of graph.operations[position].inputs) want(id);
    }
    return total;
  }

  #measure(keep: ReadonlySet<number>): StageOption {
    const kept = [...keep];
    const replay = new Replay(this.#tape, this.#given);
    for (const position of this.#stage.forward) replay.run(position);
    replay.forget(this.#internals.filter((id) => !keep.has(id)));
    const turn = replay.operations.length;
    for (const position of this.#stage.backward) replay.run(position);
    const live = replay.liveBytes();
    return {
      kept,
      keptBytes: sum(kept, this.#tape.bytes),
      extraFlops: replay.extraFlops,
      forwardPeak: live.subarray(0, turn).reduce(larger, 0),
      backwardPeak: live.subarray(turn).reduce(larger, 0),
    };
  }
}

/** Whether one choice is as good as another in everything and better in something. */
function isBetter(a: StageOption, b: StageOption): boolean {
  const asGood = a.keptBytes <= b.keptBytes && a.extraFlops <= b.extraFlops && a.backwardPeak <= b.backwardPeak;
  return asGood && (a.keptBytes < b.keptBytes || a.extraFlops < b.extraFlops || a.backwardPeak < b.backwardPeak);
}

/** At most so many, evenly over the bytes that they keep, the first and the last among them. */
function thin(options: readonly StageOption[]): readonly StageOption[] {
  if (options.length <= mostOptions) return options;
  const most = options[0].keptBytes;
  const least = options[options.length - 1].keptBytes;
  const chosen = new Set<StageOption>();
  for (let index = 0; index < mostOptions; index++) {
    const aim = most - ((most - least) * index) / (mostOptions - 1);
    chosen.add(options.reduce((a, b) => (Math.abs(b.keptBytes - aim) < Math.abs(a.keptBytes - aim) ? b : a)));
  }
  return [...chosen];
}

/** By stage: bytes made by the backward pass of later stages that it or an earlier one reads. */
function arrivingGradients({ graph, root, producer, bytes }: Tape, stages: readonly Stage[]): Float64Array {
  const stageOf = new Map<number, number>();
  for (const [index, { backward }] of stages.entries()) for (const position of backward) stageOf.set(position, index);
  const earliest = new Map<number, number>();
  for (const [position, index] of stageOf) {
    for (const { id } of graph.operations[position].inputs) {
      const made = stageOf.get(producer[root[id]]);
      if (made !== undefined && made > index) {
        earliest.set(root[id], Math.min(index, earliest.get(root[id]) ?? index));
      }
    }
  }
  const arriving = new Float64Array(stages.length);
  for (const [id, index] of earliest) {
    for (let stage = index; stage < (stageOf.get(producer[id]) as number); stage++) arriving[stage] += bytes[id];
  }
  return arriving;
}

/** Bytes that the tape would keep if nothing were ever let go: an upper end for budgets. */
export function everythingBytes(tape: Tape, stages: readonly Stage[]): number {
  return stages.reduce((total, stage) => total + stageBytes(tape, stage), 0);
}

function sum(ids: readonly number[], bytes: Float64Array): number {
  return ids.reduce((total, id) => total + bytes[id], 0);
}

function larger(a: number, b: number): number {
  return Math.max(a, b);
}
