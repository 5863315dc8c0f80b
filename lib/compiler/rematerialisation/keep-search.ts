import { Replay } from "./replay.ts";
import type { Stage } from "./stages.ts";
import type { Tape } from "./tape.ts";

/**
 * What becomes of a value that the backward pass reads:
 *
 * - `again`: it goes after the forward pass, is made again for each stage that reads it, and goes once more
 * - `once`: it goes after the forward pass, and stays from when it is first made again
 * - `kept`: it stays
 */
type Fate = "again" | "once" | "kept";

const fates: readonly Fate[] = ["kept", "once", "again"];

/** A plan on paper. */
export interface Drawing {
  readonly replay: Replay;
  readonly extraFlops: number;
  /** The most bytes alive at once of what the step makes, and the place of the operation during which they are. */
  readonly peakBytes: number;
  readonly peakPlace: number;
  /** By how much memory is above the limit, summed over all operations. */
  readonly excess: number;
}

/** Saved values at most: each step of the search draws up whole plans, dozens of them. */
const mostSaved = 400;
/** Steps of the search at most. */
const mostSteps = 60;
/** Operations for each byte below which a value is as good as free: element-wise functions take less, products more. */
const freeRate = 4;
/** Shares of the limit: smaller values are not looked at one by one, and free ones only at the peak if not larger. */
const smallShare = 0.01;
const largeShare = 0.025;
/** Arithmetic, as a share of the step's, that counts as none when moves are compared. */
const noWork = 1e-6;

/**
 * Searches what a whole training step keeps from its forward to its backward pass, value by value, from a plan that a
 * programme over stages has found. Such a plan keeps what passes between groups of stages, though much of it is cheap to
 * make again from what is kept inside them: that goes first. Then, while memory is above the limit somewhere, the one
 * value alive at the peak changes its fate that takes most off the excess for its arithmetic; and in the end what there
 * is room for is kept after all.
 */
export class KeepSearch {
  readonly #tape: Tape;
  readonly #stages: readonly Stage[];
  readonly #limit: number;
  readonly #noWork: number;
  /** Roots that the forward pass makes. */
  readonly #made: readonly number[];
  /** Of those that the backward pass reads: arithmetic for each byte where all others are there. */
  readonly #rates: ReadonlyMap<number, number>;
  /** The same values, those of least arithmetic first. */
  readonly #saved: readonly number[];
  readonly #fates = new Map<number, Fate>();
  #best: Drawing;

  /**
   * @param limitBytes what the step may make at once, besides what is always there
   * @param start a plan to begin with; it may be above the limit
   */
  constructor(tape: Tape, stages: readonly Stage[], limitBytes: number, start: Replay) {
    const { root, bytes, inputs, outputs, forward, backward, flops } = tape;
    this.#tape = tape;
    this.#stages = stages;
    this.#limit = limitBytes;
    this.#noWork = noWork * flops.reduce((sum, work) => sum + work, 0);
    this.#made = forward.flatMap((position) => [...outputs[position]]).filter((id) => root[id] === id);
    const read = new Set(backward.flatMap((position) => Array.from(inputs[position], (id) => root[id])));
    const saved = new Set(this.#made.filter((id) => bytes[id] > 0 && read.has(id)));
    this.#rates = new Map([...saved].map((id) => [id, workWithout(tape, id, saved) / bytes[id]]));
    this.#saved = [...saved].sort((a, b) => this.#rate(a) - this.#rate(b));
    const { repeats } = start;
    for (const id of saved) {
      const count = repeats.get(id) ?? 0;
      this.#fates.set(id, count === 0 ? "kept" : count === 1 ? "once" : "again");
    }
    this.#best = this.#draw();
  }

  /** The cheapest plan found within the limit; undefined if none was, or if there are too many values to look at. */
  run(): Drawing | undefined {
    if (this.#saved.length > mostSaved) return undefined;
    this.#letFreeGo(this.#saved.filter((id) => this.#isFree(id) && this.#fates.get(id) === "kept"));
    for (let step = 0; this.#best.excess > 0; step++) if (step === mostSteps || !this.#lower()) return undefined;
    this.#keepAgain();
    return this.#best;
  }

  #rate(id: number): number {
    return this.#rates.get(id) as number;
  }

  #isFree(id: number): boolean {
    return this.#rate(id) < freeRate;
  }

  /** Lets all of some go that cost next to nothing, or those halves of them that do not make memory larger. */
  #letFreeGo(ids: readonly number[]): void {
    if (ids.length === 0) return;
    for (const id of ids) this.#fates.set(id, "again");
    const drawing = this.#draw();
    const bytes = ids.reduce((sum, id) => sum + this.#tape.bytes[id], 0);
    const isFree = drawing.extraFlops - this.#best.extraFlops <= freeRate * bytes;
    if (isFree && drawing.excess <= this.#best.excess) {
      this.#best = drawing;
      return;
    }
    for (const id of ids) this.#fates.set(id, "kept");
    if (ids.length === 1) return;
    const middle = ids.length >>> 1;
    this.#letFreeGo(ids.slice(0, middle));
    this.#letFreeGo(ids.slice(middle));
  }

  /** Changes the fate of one value: the change that takes most off the excess for its arithmetic. False if none does. */
  #lower(): boolean {
    const { bytes } = this.#tape;
    const alive = this.#best.replay.aliveAt(this.#best.peakPlace);
    let chosen:
      | { readonly id: number; readonly fate: Fate; readonly drawing: Drawing; readonly gain: number }
      | undefined;
    for (const id of this.#saved) {
      const before = this.#fates.get(id);
      // Something large that is made again for others may be the reason of a peak without being there itself.
      const isCause = this.#isFree(id) && before !== "kept" && bytes[id] >= largeShare * this.#limit;
      if (bytes[id] < smallShare * this.#limit || !(alive.has(id) || isCause)) continue;
      for (const fate of fates) {
        if (fate === before) continue;
        const drawing = this.#drawWith(id, fate);
        const less = this.#best.excess - drawing.excess;
        if (less <= 0) continue;
        const gain = less / Math.max(this.#noWork, drawing.extraFlops - this.#best.extraFlops);
        if (chosen === undefined || gain > chosen.gain) chosen = { id, fate, drawing, gain };
      }
    }
    if (chosen === undefined) return false;
    this.#fates.set(chosen.id, chosen.fate);
    this.#best = chosen.drawing;
    return true;
  }

  /** Keeps what there is room for after all: first what costs most for each byte. */
  #keepAgain(): void {
    for (const id of [...this.#saved].reverse()) {
      if (this.#isFree(id)) break;
      const fate = this.#fates.get(id) as Fate;
      for (const better of fates.slice(0, fates.indexOf(fate))) {
        const drawing = this.#drawWith(id, better);
        if (drawing.excess > 0 || drawing.extraFlops >= this.#best.extraFlops) continue;
        this.#fates.set(id, better);
        this.#best = drawing;
        break;
      }
    }
  }

  #drawWith(id: number, fate: Fate): Drawing {
    const before = this.#fates.get(id) as Fate;
    this.#fates.set(id, fate);
    const drawing = this.#draw();
    this.#fates.set(id, before);
    return drawing;
  }

  #draw(): Drawing {
    const replay = new Replay(this.#tape);
    for (const position of this.#tape.forward) replay.run(position);
    replay.forget(this.#made.filter((id) => this.#fates.get(id) !== "kept"));
    const again = this.#made.filter((id) => (this.#fates.get(id) ?? "again") === "again");
    for (const { backward } of [...this.#stages].reverse()) {
      for (const position of backward) replay.run(position);
      replay.forget(again);
    }
    let peakBytes = 0;
    let peakPlace = 0;
    let excess = 0;
    for (const [place, live] of replay.liveBytes().entries()) {
      if (live > peakBytes) [peakBytes, peakPlace] = [live, place];
      excess += Math.max(0, live - this.#limit);
    }
    return { replay, extraFlops: replay.extraFlops, peakBytes, peakPlace, excess };
  }
}

/** Arithmetic that makes a saved value again when all others are there. */
function workWithout({ root, producer, inputs, flops }: Tape, id: number, saved: ReadonlySet<number>): number {
  const again = new Set([producer[id]]);
  let work = 0;
  for (const position of again) {
    work += flops[position];
    for (const input of inputs[position]) {
      const value = root[input];
      if (!saved.has(value) && producer[value] >= 0) again.add(producer[value]);
    }
  }
  return work;
}
