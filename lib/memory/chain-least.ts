import { type Chain, type ChainRecorder, stepBytes } from "./chain.ts";

/**
 * The plan of least memory of those that keep an activation until its backward, whatever it costs: each stretch goes
 * forward to the activation with which its own peak and those of both parts are lowest. Bytes are exact. Cost: O(n³).
 */
export class LeastChainPlan {
  readonly #chain: Chain;
  /** By stretch: the least peak beyond the activation that it begins with, and the activation that is kept for it. */
  readonly #peaks: Float64Array;
  readonly #kept: Int32Array;

  constructor(chain: Chain) {
    const { layers, inputGradientBytes } = chain;
    const count = layers.length;
    this.#chain = chain;
    this.#peaks = new Float64Array(count * (count + 1)).fill(Number.POSITIVE_INFINITY);
    this.#kept = new Int32Array(count * (count + 1));
    const gradient = (layer: number): number => (layer === 0 ? inputGradientBytes : layers[layer - 1].gradientBytes);
    for (let length = 1; length <= count; length++) {
      for (let from = 0; from + length <= count; from++) {
        const to = from + length;
        const place = this.#place(from, to);
        if (length === 1) this.#peaks[place] = gradient(to) + gradient(from);
        let advance = 0;
        for (let kept = from + 1; kept < to; kept++) {
          advance = Math.max(advance, gradient(to) + stepBytes(chain, from, kept));
          const above = layers[kept - 1].activationBytes + this.#peaks[this.#place(kept, to)];
          const peak = Math.max(advance, above, this.#peaks[this.#place(from, kept)]);
          if (peak >= this.#peaks[place]) continue;
          this.#peaks[place] = peak;
          this.#kept[place] = kept;
        }
      }
    }
  }

  /** The most bytes that it takes at once. */
  get peakBytes(): number {
    return this.#peaks[this.#place(0, this.#chain.layers.length)];
  }

  record(recorder: ChainRecorder): void {
    recorder.stretch(0, this.#chain.layers.length, 0, (from, to) => ({
      kept: this.#kept[this.#place(from, to)],
      left: 0,
    }));
  }

  #place(from: number, to: number): number {
    return (to - 1) * this.#chain.layers.length + from;
  }
}
