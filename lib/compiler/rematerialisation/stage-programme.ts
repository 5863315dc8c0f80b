import type { StageCosts, StageOption } from "./stage-options.ts";

/** What a plan does with stages, in order. */
export interface StageVisitor {
  /** Runs so many stages forward, for the first time or again, and keeps what an option says. */
  keep(from: number, count: number, option: StageOption): void;
  /** Goes forward from one stage's input to another's and keeps nothing but that. */
  advance(from: number, to: number): void;
  /** Runs so many stages backward that kept what an option says. */
  backward(from: number, count: number, option: StageOption): void;
}

/** To keep what an option says for the first so many stages of a stretch. */
interface Choice {
  readonly count: number;
  readonly option: StageOption;
}

/** Rows of the table at most. */
const units = 400;

/**
 * The least extra work for every stretch of stages in every amount of memory, by dynamic programming: the first stages
 * of a stretch either keep what one of their options says, or the forward pass goes on to a later stage, whose input is
 * kept, and comes back to what it left out (Beaumont et al., "Optimal checkpointing for heterogeneous chains", 2019;
 * options inside stages as in Zhao et al., "Rockmate", 2023). Plans that keep what they checkpoint until its backward
 * pass are searched. Cost: O(n² · (n + options) · units).
 *
 * Sizes are rounded to a unit, so what a plan really takes is to be measured.
 */
export class StageProgramme {
  readonly #stages: readonly StageCosts[];
  readonly #unit: number;
  /** By stretch: least extra work by units at hand, and what is done first: an option, or the stage gone on to. */
  readonly #costs: Float64Array[] = [];
  readonly #choices: (Choice | number)[][] = [];

  /** @param limitBytes the largest amount of memory that will be asked about */
  constructor(stages: readonly StageCosts[], limitBytes: number) {
    this.#stages = stages;
    this.#unit = Math.max(1, limitBytes / units);
    this.#fill();
  }

  /** Bytes of one row of the table. */
  get unitBytes(): number {
    return this.#unit;
  }

  /** The most memory about which the programme may be asked, in bytes. */
  get limitBytes(): number {
    return units * this.#unit;
  }

  /** The least memory for which there is a plan, in bytes; infinite if the limit is too low. */
  get leastBytes(): number {
    const least = this.#costs[this.#index(0, this.#stages.length - 1)].findIndex(Number.isFinite);
    return least < 0 ? Number.POSITIVE_INFINITY : least * this.#unit;
  }

  /** Extra work of the best plan in so many bytes; infinite if there is none. */
  extraFlops(bytes: number): number {
    return this.#costs[this.#index(0, this.#stages.length - 1)][this.#row(bytes)];
  }

  /** Tells the best plan in so many bytes step by step. */
  visit(bytes: number, visitor: StageVisitor): void {
    this.#visit(0, this.#stages.length - 1, this.#row(bytes), visitor);
  }

  #row(bytes: number): number {
    // A whole number of units may come back from bytes as a little less.
    return Math.max(0, Math.min(units, Math.floor(bytes / this.#unit + 1e-6)));
  }

  #index(from: number, to: number): number {
    return from * this.#stages.length + to;
  }

  #fill(): void {
    const count = this.#stages.length;
    const up = (bytes: number): number => Math.ceil(bytes / this.#unit);
    const near = (bytes: number): number => Math.round(bytes / this.#unit);
    const boundary = this.#stages.map(({ boundaryBytes }) => near(boundaryBytes));
    const flops: number[] = [0];
    for (const [index, { forwardFlops }] of this.#stages.entries()) flops.push(flops[index] + forwardFlops);
    for (let length = 1; length <= count; length++) {
      for (let from = 0; from + length <= count; from++) {
        const to = from + length - 1;
        const costs = new Float64Array(units + 1).fill(Number.POSITIVE_INFINITY);
        const choices = new Array<Choice | number>(units + 1).fill(0);
        // The gradient that arrives at the end of the stretch is there while its forward pass is run again.
        const { gradientBytes } = this.#stages[to];
        for (const [more, options] of this.#stages[from].options.slice(0, length).entries()) {
          const end = from + more;
          const above = end === to ? undefined : this.#costs[this.#index(end + 1, to)];
          for (const option of options) {
            const { extraFlops, keptBytes, forwardPeak, backwardPeak } = option;
            const need = Math.max(up(backwardPeak), up(forwardPeak + gradientBytes));
            const taken = near(keptBytes) + boundary[end];
            const choice = { count: more + 1, option };
            for (let row = Math.max(need, above === undefined ? 0 : taken); row <= units; row++) {
              const cost = extraFlops + (above === undefined ? 0 : above[row - taken]);
              if (cost < costs[row]) [costs[row], choices[row]] = [cost, choice];
            }
          }
        }
        let peak = 0;
        for (let next = from + 1; next <= to; next++) {
          const before = next - 1 > from ? this.#stages[next - 2].boundaryBytes : 0;
          peak = Math.max(peak, up(this.#stages[next - 1].forwardPeak + before + gradientBytes));
          const advance = flops[next] - flops[from];
          const above = this.#costs[this.#index(next, to)];
          const below = this.#costs[this.#index(from, next - 1)];
          for (let row = Math.max(peak, boundary[next - 1]); row <= units; row++) {
            const cost = advance + above[row - boundary[next - 1]] + below[row];
            if (cost < costs[row]) [costs[row], choices[row]] = [cost, next];
          }
        }
        this.#costs[this.#index(from, to)] = costs;
        this.#choices[this.#index(from, to)] = choices;
      }
    }
  }

  #visit(from: number, to: number, row: number, visitor: StageVisitor): void {
    if (!Number.isFinite(this.#costs[this.#index(from, to)][row])) {
      throw new Error(`internal: stages ${from} to ${to} have no plan in ${row} units`);
    }
    const choice = this.#choices[this.#index(from, to)][row];
    const near = (bytes: number): number => Math.round(bytes / this.#unit);
    if (typeof choice === "object") {
      const { count, option } = choice;
      visitor.keep(from, count, option);
      const end = from + count - 1;
      const taken = near(option.keptBytes) + near(this.#stages[end].boundaryBytes);
      if (end < to) this.#visit(end + 1, to, row - taken, visitor);
      visitor.backward(from, count, option);
    } else {
      visitor.advance(from, choice);
      this.#visit(choice, to, row - near(this.#stages[choice - 1].boundaryBytes), visitor);
      this.#visit(from, choice - 1, row, visitor);
    }
  }
}
