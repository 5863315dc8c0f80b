import type { Execution } from "../engine/index.ts";
import type { DataOf } from "../tensor/index.ts";

/** A step of training that can be taken again: which program, and what it is given. */
export interface TakenStep {
  readonly epoch: number;
  /** The number of the step in its run, from 1. */
  readonly number: number;
  readonly execution: Execution;
  /** Puts batch and hyperparameters into their places. */
  fill(): void;
}

/** What is kept safe: weights and states where they lie. */
export interface Kept {
  /** The arrays in place, by name. */
  current(): ReadonlyMap<string, DataOf>;
  /** Makes an execution's arena the place of the current weights. */
  moveTo(execution: Execution): void;
}

/** Copies are taken when the steps since the last one have taken this many times as long as looking through and copying. */
const stepsPerCopy = 100;

/** However fast copying is, this many steps can be taken again in a moment, and their batches may be held for it. */
const mostSteps = 64;

/**
 * Makes steps of training whole. A step overwrites the weights as it goes, and whoever interrupts may stop it anywhere by
 * means that no `catch` sees. So a copy of the weights is kept, and the steps since: a step that has been left half-done
 * is undone by going back to the copy and taking the finished steps again, which gives the same weights to the bit.
 *
 * Copying costs about 1 % of the time; a copy takes as many bytes as weights and states.
 */
export class Safekeeping {
  readonly #kept: Kept;
  #copy: Map<string, DataOf> | null = null;
  /** Finished since the copy. */
  #steps: TakenStep[] = [];
  /** How many were finished when a step was begun; still there afterwards only if an interruption came between. */
  #begunAfter: number | null = null;
  /** Whether the copy is being written: until it is whole, the weights themselves are. */
  #copying = false;
  #copySeconds = 0;
  #stepSeconds = 0;

  constructor(kept: Kept) {
    this.#kept = kept;
  }

  /** Forgets copy and steps: somebody has given other weights, or is content with these. */
  forget(): void {
    this.#begunAfter = null;
    this.#copying = false;
    this.#copy = null;
    this.#steps = [];
  }

  /** Whether a copy should be taken before the next step. */
  get isDue(): boolean {
    if (this.#copy === null) return true;
    return this.#stepSeconds > stepsPerCopy * this.#copySeconds || this.#steps.length >= mostSteps;
  }

  /**
   * Copies the weights, unless they have gone bad since the last copy.
   *
   * @returns the name of the first array with a number that is not finite; then the last copy stays
   */
  keep(): string | null {
    this.recover();
    const started = performance.now();
    const current = this.#kept.current();
    // Weights that were bad when they were given are nothing to go back from.
    const bad = this.#copy === null ? null : firstNotFinite(current);
    if (bad !== null) return bad;
    const copy = this.#copy ?? new Map([...current].map(([name, data]) => [name, data.slice()]));
    this.#copying = true;
    for (const [name, data] of current) copy.get(name)?.set(data as never);
    this.#copy = copy;
    this.#steps = [];
    this.#copying = false;
    this.#copySeconds = (performance.now() - started) / 1000;
    this.#stepSeconds = 0;
    return null;
  }

  /** Takes a step. The copy must have been taken before. */
  take(step: TakenStep): void {
    if (this.#copy === null) throw new Error("internal: a step was taken before a copy");
    this.recover();
    const started = performance.now();
    this.#begunAfter = this.#steps.length;
    this.#run(step);
    this.#steps.push(step);
    this.#begunAfter = null;
    this.#stepSeconds += (performance.now() - started) / 1000;
  }

  /** Undoes a step that an interruption left half-done. Does nothing otherwise. */
  recover(): void {
    if (this.#copying) {
      // The weights are whole, and the half-written copy is of no use.
      this.forget();
    } else if (this.#begunAfter !== null) {
      if (this.#steps.length === this.#begunAfter) this.#goTo(this.#begunAfter);
      this.#begunAfter = null;
    }
  }

  /** Undoes the last finished step. */
  undo(): void {
    this.recover();
    const before = this.#steps.length - 1;
    if (before < 0) throw new Error("internal: there is no step to undo");
    // Until the weights are those of before, this is the same as if it had been interrupted.
    this.#steps = this.#steps.slice(0, before);
    this.#begunAfter = before;
    this.recover();
  }

  /**
   * Goes back to before the first step since the copy after which `isBad` holds, or some weight is not finite.
   *
   * @returns that step, undone, with everything that it is given in its place; null if there is none
   */
  rewind(isBad: (step: TakenStep) => boolean): TakenStep | null {
    this.recover();
    const steps = this.#steps;
    this.#steps = [];
    this.#begunAfter = 0;
    this.#goTo(0);
    for (const [index, step] of steps.entries()) {
      this.#begunAfter = index;
      this.#run(step);
      if (isBad(step) || firstNotFinite(this.#kept.current()) !== null) {
        this.#goTo(index);
        this.#begunAfter = null;
        this.#kept.moveTo(step.execution);
        step.fill();
        return step;
      }
      this.#steps.push(step);
    }
    this.#begunAfter = null;
    return null;
  }

  #run(step: TakenStep): void {
    this.#kept.moveTo(step.execution);
    step.fill();
    step.execution.run();
  }

  /** Makes the weights those after the first `count` steps since the copy. */
  #goTo(count: number): void {
    const copy = this.#copy;
    if (copy === null) throw new Error("internal: there is no copy to go back to");
    for (const [name, data] of this.#kept.current()) data.set(copy.get(name) as never);
    for (const step of this.#steps.slice(0, count)) this.#run(step);
  }
}

/** Numbers that are looked through by one call: small enough that a machine soon has the function compiled well. */
const numbersPerCall = 4096;

/** The name of the first array that holds NaN or an infinity; null if there is none. */
function firstNotFinite(arrays: ReadonlyMap<string, DataOf>): string | null {
  for (const [name, data] of arrays) {
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    for (let from = 0; from < data.length; from += numbersPerCall) {
      if (!allFinite(data, from, Math.min(from + numbersPerCall, data.length))) return name;
    }
  }
  return null;
}

/** Whether elements `from` up to, but without, `to` are finite. */
function allFinite(data: Float32Array | Float64Array, from: number, to: number): boolean {
  // A sum of numbers of which one is not finite is not finite either. Eight sums, as each addition has to wait for the
  // one before; declared one by one, since taking an array apart makes this four times as slow with Node 20. A sum of
  // very large float64 may overflow, so that a closer look is needed before anything is said.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let e = 0;
  let f = 0;
  let g = 0;
  let h = 0;
  let i = from;
  for (const end = to - 7; i < end; i += 8) {
    a += data[i];
    b += data[i + 1];
    c += data[i + 2];
    d += data[i + 3];
    e += data[i + 4];
    f += data[i + 5];
    g += data[i + 6];
    h += data[i + 7];
  }
  for (; i < to; i++) a += data[i];
  return Number.isFinite(a + b + c + d + e + f + g + h) || data.subarray(from, to).every(Number.isFinite);
}
