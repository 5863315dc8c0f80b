import { type Chain, type ChainPlan, ChainRecorder, simulateChain, stepBytes } from "./chain.ts";
import { LeastChainPlan } from "./chain-least.ts";

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
/** Rows' entries that are looked at together. */
const blockUnits = 16;

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
  const recorder = new ChainRecorder(chain);
  if (table.hasPlan()) table.record(recorder);
  else {
    // Rounding may hide the plans closest to the least memory.
    const least = new LeastChainPlan(chain);
    if (least.peakBytes > budgetBytes) {
      throw new Error(
        `chain: the budget must hold the largest step's inputs, output and gradient, got ${budgetBytes} B of at least ` +
          `${least.peakBytes} B; raise the budget`,
      );
    }
    least.record(recorder);
  }
  const plan = simulateChain(chain, recorder.actions);
  if (plan.peakBytes > budgetBytes)
    throw new Error(`internal: a chain plan takes ${plan.peakBytes} of ${budgetBytes} B`);
  return { ...plan, unitBytes: table.unitBytes };
}

/** The smallest budget for which `optimalChainPlan` has a plan, in bytes. */
export function smallestChainBudget(chain: Chain): number {
  return new LeastChainPlan(chain).peakBytes;
}

/** Least costs of every stretch of the chain in every amount of memory. */
class ChainTable {
  readonly unitBytes: number;
  readonly #chain: Chain;
  readonly #units: number;
  /** In units, by activation and gradient number; number 0 is the network's input. */
  readonly #activation: readonly number[];
  readonly #gradient: readonly number[];
  /** By stretch: the number of its row in the table. Stretches of equal layers, as deep networks have, share one. */
  readonly #rows: Int32Array;
  /**
   * Least costs of the backward steps `to` … `from + 1` from activation `from`, by units at hand: a row for each stretch.
   * More units never cost more.
   */
  readonly #costs: Float64Array;

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
    this.#rows = new Int32Array(layers.length * (layers.length + 1));
    const firsts = this.#shareRows();
    this.#costs = new Float64Array(firsts.length * (this.#units + 1)).fill(Number.POSITIVE_INFINITY);
    for (const { from, to } of firsts) this.#fill(from, to);
  }

  hasPlan(): boolean {
    return Number.isFinite(this.#costs[this.#row(0, this.#chain.layers.length) + this.#units]);
  }

  /** Where the costs of a stretch begin in the table. */
  #row(from: number, to: number): number {
    return this.#rows[(to - 1) * this.#chain.layers.length + from] * (this.#units + 1);
  }

  /**
   * Numbers the rows of the table, and gives the first stretch of each, the shorter ones first. Two stretches are equal if
   * they are without their first and without their last layer.
   */
  #shareRows(): readonly { readonly from: number; readonly to: number }[] {
    const { layers } = this.#chain;
    const count = layers.length;
    const numbers = new Map<string, number>();
    const firsts: { readonly from: number; readonly to: number }[] = [];
    for (let length = 1; length <= count; length++) {
      for (let from = 0; from + length <= count; from++) {
        const to = from + length;
        const { forwardCost, backwardCost } = layers[from];
        const key =
          length === 1
            ? `${forwardCost} ${backwardCost} ${this.#activation[to]} ${this.#gradient[from]} ${this.#gradient[to]}`
            : `${this.#rows[(to - 2) * count + from]},${this.#rows[(to - 1) * count + from + 1]}`;
        const known = numbers.get(key);
        if (known === undefined) {
          numbers.set(key, firsts.length);
          firsts.push({ from, to });
        }
        this.#rows[(to - 1) * count + from] = known ?? firsts.length - 1;
      }
    }
    return firsts;
  }

  /**
   * Fills in the row of a stretch; those of all shorter ones are there. Most of the time goes here, so a block of the row
   * is passed over where the choice with the block's most units is no cheaper than what its fewest have: costs fall with
   * units, so nothing between can become cheaper either.
   */
  #fill(from: number, to: number): void {
    const { layers } = this.#chain;
    const costs = this.#costs;
    const most = this.#units;
    const row = this.#row(from, to);
    if (to === from + 1) {
      const need = this.#gradient[to] + this.#gradient[from];
      if (need <= most) costs.fill(layers[from].backwardCost, row + need, row + most + 1);
      return;
    }
    let need = 0;
    let advance = 0;
    for (let kept = from + 1; kept < to; kept++) {
      need = Math.max(need, this.#gradient[to] + this.#stepUnits(from, kept));
      advance += layers[kept - 1].forwardCost;
      const below = this.#row(from, kept);
      const above = this.#row(kept, to) - this.#activation[kept];
      for (let first = need; first <= most; first += blockUnits) {
        const last = Math.min(most, first + blockUnits - 1);
        if (costs[row + first] <= advance + costs[above + last] + costs[below + last]) continue;
        for (let units = first; units <= last; units++) {
          const cost = advance + costs[above + units] + costs[below + units];
          if (cost < costs[row + units]) costs[row + units] = cost;
        }
      }
    }
  }

  /** Units that a forward step takes on the way from a kept activation, which is counted elsewhere. */
  #stepUnits(from: number, layer: number): number {
    return stepBytes(this.#chain, from, layer, (activation) => this.#activation[activation]);
  }

  record(recorder: ChainRecorder): void {
    recorder.stretch(0, this.#chain.layers.length, this.#units, (from, to, units) => {
      const kept = this.#choice(from, to, units);
      return { kept, left: units - this.#activation[kept] };
    });
  }

  /** The next activation to keep: the first that gives the least cost. */
  #choice(from: number, to: number, units: number): number {
    const costs = this.#costs;
    const least = costs[this.#row(from, to) + units];
    let need = 0;
    let advance = 0;
    for (let kept = from + 1; kept < to; kept++) {
      need = Math.max(need, this.#gradient[to] + this.#stepUnits(from, kept));
      if (need > units) break;
      advance += this.#chain.layers[kept - 1].forwardCost;
      const above = costs[this.#row(kept, to) + units - this.#activation[kept]];
      if (advance + above + costs[this.#row(from, kept) + units] === least) return kept;
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
