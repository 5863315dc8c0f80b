import { type Chain, type ChainPlan, ChainRecorder, simulateChain } from "./chain.ts";

/** The cheapest plan within a budget, and how finely bytes were counted. */
export interface OptimalChainPlan extends ChainPlan {
  /**
   * Bytes of one unit of the table. Where every size is a multiple of it the plan is the cheapest there is of those
   * that keep an activation until its backward; otherwise sizes were rounded up to it, and the plan may cost more.
   */
  readonly unitBytes: number;
}

/** Rows of the table at most: the time is proportional to it. */
const mostUnits = 500;

/**
 * The cheapest way through a chain within a budget of bytes, for layers of unequal sizes and costs, by dynamic
 * programming: from a kept activation, go forward to the next that is kept, solve what is above it in the memory that
 * is left, then what is below it (Gruslys et al., "Memory-efficient backpropagation through time", 2016; Beaumont et
 * al., "Optimal checkpointing for heterogeneous chains", 2019). Cost: O(n³ · units) time, O(n² · units) memory.
 *
 * @throws Error naming the smallest budget that is enough, if this one is not
 */
export function optimalChainPlan(chain: Chain, budgetBytes: number): OptimalChainPlan {
  const table = new ChainTable(chain, budgetBytes);
  if (table.smallestUnits() < 0) {
    // Enough, whatever is rounded: everything made again from the input each time.
    const wider = new ChainTable(chain, table.recomputeBytes());
    const smallest = Math.ceil(wider.smallestUnits() * wider.unitBytes);
    throw new Error(
      `chain: the budget must hold the largest step's inputs, output and gradient, got ${budgetBytes} B of at least ` +
        `${smallest} B; raise the budget`,
    );
  }
  const recorder = new ChainRecorder(chain);
  table.record(recorder);
  const plan = simulateChain(chain, recorder.actions);
  if (plan.peakBytes > budgetBytes)
    throw new Error(`internal: a chain plan takes ${plan.peakBytes} of ${budgetBytes} B`);
  return { ...plan, unitBytes: table.unitBytes };
}

/** Least costs of every stretch of the chain in every amount of memory. */
class ChainTable {
  readonly unitBytes: number;
  readonly #chain: Chain;
  readonly #units: number;
  /** In units, by activation and gradient number; number 0 is the network's input. */
  readonly #activation: readonly number[];
  readonly #gradient: readonly number[];
  /** Forward cost of the first so many layers. */
  readonly #forward: number[] = [0];
  /** By stretch: least cost of the backward steps `to` … `from + 1` from activation `from`, by units at hand. */
  readonly #costs: Float64Array[] = [];

  constructor(chain: Chain, budgetBytes: number) {
    if (!(budgetBytes >= 0)) throw new Error(`chain: a budget must be 0 bytes or more, got ${budgetBytes}; give bytes`);
    const { layers, inputGradientBytes } = chain;
    if (layers.length === 0) throw new Error("chain: a chain must have a layer or more, got none; add the loss");
    this.#chain = chain;
    const activation = [0, ...layers.slice(0, -1).map(({ activationBytes }) => activationBytes)];
    const gradient = [inputGradientBytes, ...layers.map(({ gradientBytes }) => gradientBytes)];
    const all = [...activation, ...gradient];
    const sum = all.reduce((total, bytes) => total + bytes, 0);
    // With all of it at hand nothing is ever made twice; more would not help.
    const enough = Math.min(budgetBytes, sum);
    const divisor = all.reduce(greatestCommonDivisor, 0) || 1;
    this.unitBytes = Math.max(divisor, enough / mostUnits);
    const units = (bytes: number): number => Math.ceil(bytes / this.unitBytes);
    this.#activation = activation.map(units);
    this.#gradient = gradient.map(units);
    // Where all of it fits, rounding may not say otherwise.
    const rounded = [...this.#activation, ...this.#gradient].reduce((total, size) => total + size, 0);
    this.#units = budgetBytes >= sum ? rounded : Math.floor(enough / this.unitBytes);
    for (const [index, { forwardCost }] of layers.entries()) this.#forward.push(this.#forward[index] + forwardCost);
    this.#fill();
  }

  /** Units of the smallest budget within the table that is enough; −1 if none is. */
  smallestUnits(): number {
    return this.#cost(0, this.#chain.layers.length).findIndex(Number.isFinite);
  }

  #cost(from: number, to: number): Float64Array {
    return this.#costs[from * (this.#chain.layers.length + 1) + to];
  }

  #fill(): void {
    const { layers } = this.#chain;
    const count = layers.length;
    const largest = this.#gradient.reduce((most, units) => Math.max(most, units), 0);
    const inner: number[] = [0];
    for (let layer = 1; layer < count; layer++) inner.push(inner[layer - 1] + this.#activation[layer]);
    for (let length = 1; length <= count; length++) {
      for (let from = 0; from + length <= count; from++) {
        const to = from + length;
        const costs = new Float64Array(this.#units + 1).fill(Number.POSITIVE_INFINITY);
        this.#costs[from * (count + 1) + to] = costs;
        if (length === 1) {
          const need = this.#gradient[to] + this.#gradient[from];
          if (need <= this.#units) costs.fill(layers[from].backwardCost, need);
          continue;
        }
        // In this many units everything of the stretch is kept: more makes nothing cheaper.
        const enough = Math.min(this.#units, inner[to - 1] - inner[from] + 2 * largest);
        let need = 0;
        for (let kept = from + 1; kept < to; kept++) {
          need = Math.max(need, this.#gradient[to] + this.#stepUnits(from, kept));
          const size = this.#activation[kept];
          const advance = this.#forward[kept] - this.#forward[from];
          const above = this.#cost(kept, to);
          const below = this.#cost(from, kept);
          for (let units = need; units <= enough; units++) {
            const cost = advance + above[units - size] + below[units];
            if (cost < costs[units]) costs[units] = cost;
          }
        }
        costs.fill(costs[enough], enough);
      }
    }
  }

  /** Units that a forward step takes on the way from a kept activation, which is counted elsewhere. */
  #stepUnits(from: number, layer: number): number {
    const input = layer - 1 > from ? this.#activation[layer - 1] : 0;
    const output = this.#activation[layer];
    return this.#chain.overwrites ? Math.max(input, output) : input + output;
  }

  /** Bytes with which everything can be made again from the input each time, and some for rounding. */
  recomputeBytes(): number {
    const { layers, inputGradientBytes } = this.#chain;
    const most = layers.reduce(
      (largest, { activationBytes, gradientBytes }) => Math.max(largest, activationBytes, gradientBytes),
      inputGradientBytes,
    );
    return 4 * most;
  }

  record(recorder: ChainRecorder): void {
    this.#record(recorder, 0, this.#chain.layers.length, this.#units);
  }

  #record(recorder: ChainRecorder, from: number, to: number, units: number): void {
    if (to === from + 1) {
      recorder.backward(to);
      return;
    }
    const kept = this.#choice(from, to, units);
    recorder.advance(from, kept);
    recorder.checkpoint(kept);
    this.#record(recorder, kept, to, units - this.#activation[kept]);
    recorder.free(kept, "activation");
    this.#record(recorder, from, kept, units);
  }

  /** The next activation to keep: the first that gives the least cost. */
  #choice(from: number, to: number, units: number): number {
    const least = this.#cost(from, to)[units];
    let need = 0;
    for (let kept = from + 1; kept < to; kept++) {
      need = Math.max(need, this.#gradient[to] + this.#stepUnits(from, kept));
      if (need > units) break;
      const advance = this.#forward[kept] - this.#forward[from];
      const above = this.#cost(kept, to)[units - this.#activation[kept]];
      if (advance + above + this.#cost(from, kept)[units] === least) return kept;
    }
    throw new Error(`internal: no step of a chain's table costs ${least} (${from} to ${to} in ${units} units)`);
  }
}

/**
 * Forward steps that the best schedule with so many checkpoints takes for a chain of equal steps, the input's
 * included among the checkpoints: r·l − C(c + r, r − 1) for the least r with C(c + r, c) ≥ l (Griewank and Walther,
 * "Algorithm 799: Revolve", 2000).
 */
export function revolveForwardSteps(length: number, checkpoints: number): number {
  if (!Number.isInteger(length) || !Number.isInteger(checkpoints) || length < 1 || checkpoints < 1) {
    throw new Error(
      `revolve: length and checkpoints must be 1 or more, got ${length} and ${checkpoints}; correct them`,
    );
  }
  // C(c + r, c), and C(c + r, r − 1) = C(c + r, c + 1).
  let repeats = 0;
  let reach = 1;
  let saved = 0;
  while (reach < length) {
    repeats++;
    saved += reach;
    reach = (reach * (checkpoints + repeats)) / repeats;
  }
  return repeats * length - saved;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
