import type { EpochRecord } from "./history.ts";
import { host } from "./host.ts";

let fits = 0;

/** Tells the host how far one `fit` has come. */
export class FitProgress {
  readonly #id = `fit-${++fits}`;
  readonly #title: string;
  readonly #total: () => number | null;
  readonly #shown: boolean;
  #done = 0;
  #note = "";

  /**
   * @param total the number of steps there will be, as far as it is known
   * @param shown false to tell nobody
   */
  constructor(model: string, total: () => number | null, shown = true) {
    this.#title = `training ${model}`;
    this.#total = total;
    this.#shown = shown;
  }

  advance(done: number, note: string): void {
    this.#done = done;
    this.#note = note;
    this.#report(note, false);
  }

  /** Says that nothing more will come, and why if it is not the regular end. */
  finish(reason?: string): void {
    this.#report(reason === undefined ? this.#note : `${reason} · ${this.#note}`, true);
  }

  #report(note: string, finished: boolean): void {
    if (!this.#shown) return;
    const total = this.#total();
    const known = total === null ? {} : { total };
    host().report({ id: this.#id, title: this.#title, done: this.#done, ...known, note, finished });
  }
}

/** An epoch in a few words. */
export function describeEpoch({ loss, validationLoss, validationError }: EpochRecord): string {
  const parts = [`loss ${loss.toFixed(4)}`];
  if (validationError !== undefined) parts.push(`test error ${(validationError * 100).toFixed(2)} %`);
  else if (validationLoss !== undefined) parts.push(`test loss ${validationLoss.toFixed(4)}`);
  return parts.join(" · ");
}
