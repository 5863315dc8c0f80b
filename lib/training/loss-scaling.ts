/** How the factor of the loss is chosen while training goes on. */
export interface LossScaling {
  /** The first factor; 65,536 unless told otherwise. Powers of two change no digit of a gradient. */
  readonly initial?: number;
  /** After this many steps without overflow the factor doubles; 2,000 unless told otherwise. */
  readonly growAfter?: number;
}

/**
 * Completes what somebody asked for.
 *
 * @returns null if the loss is not to be scaled
 * @throws Error naming a bad setting
 */
export function chooseLossScaling(asked: boolean | LossScaling): Required<LossScaling> | null {
  if (asked === false) return null;
  const { initial = 65536, growAfter = 2000 } = asked === true ? {} : asked;
  if (!(Number.isFinite(initial) && initial > 0) || !Number.isInteger(growAfter) || growAfter < 1) {
    throw new Error(
      `compile: lossScaling needs a first factor > 0 and a whole number of steps ≥ 1, got ${initial} and ${growAfter}; try { lossScaling: true }`,
    );
  }
  return { initial, growAfter };
}

/** A factor below this says that something else is wrong. */
const leastFactor = 2 ** -24;

/** The factor as it is now; Micikevicius et al. 2018, section 3.2, with the constants of PyTorch's GradScaler. */
export class LossScale {
  readonly #growAfter: number;
  #factor: number;
  #goodSteps = 0;
  #skipped = 0;

  constructor({ initial, growAfter }: Required<LossScaling>) {
    this.#factor = initial;
    this.#growAfter = growAfter;
  }

  get factor(): number {
    return this.#factor;
  }

  get skippedSteps(): number {
    return this.#skipped;
  }

  /** Everything that it knows: plain data for a checkpoint. */
  get state(): readonly [factor: number, goodSteps: number, skipped: number] {
    return [this.#factor, this.#goodSteps, this.#skipped];
  }

  set state([factor, goodSteps, skipped]: readonly [number, number, number]) {
    this.#factor = factor;
    this.#goodSteps = goodSteps;
    this.#skipped = skipped;
  }

  /**
   * Takes note of a step.
   *
   * @throws Error if the factor has become so small that overflow cannot be its fault
   */
  note(overflowed: boolean): void {
    if (!overflowed) {
      if (++this.#goodSteps < this.#growAfter) return;
      this.#goodSteps = 0;
      // A factor that is not finite would make every step overflow.
      if (this.#factor * 2 < 2 ** 127) this.#factor *= 2;
      return;
    }
    this.#skipped++;
    this.#goodSteps = 0;
    this.#factor /= 2;
    if (this.#factor < leastFactor) {
      throw new Error(
        `fit: some gradient must be finite at a reasonable scale of the loss, got none down to ${leastFactor}; lower the rate or check the data`,
      );
    }
  }
}
