import type { OperatorGraph } from "../../ir/index.ts";
import type { Tape } from "../rematerialisation/tape.ts";
import type { Schedule } from "../schedule.ts";

/** How a target fits a schedule into its memory. */
export interface TargetPlan {
  /** Bytes of the arena: what execution takes. */
  readonly arenaBytes: number;
  /** Ids of the values that the target stores at all; fusion leaves some out. */
  readonly stored: ReadonlySet<number>;
  /** The step with most live bytes, such as `matmul + addBias (dense1)`. */
  readonly peakStep: string;
}

/** Whoever will execute a schedule, as far as planning asks: an engine's `compile` in other words. */
export type PlanOnTarget = (schedule: Schedule) => TargetPlan;

/** What a strategy may use. */
export interface PlanContext {
  /** A training step, or that of one micro-batch, with nothing dead in it, updates as early as they can be. */
  readonly graph: OperatorGraph;
  /** The graph by numbers, with the bytes of what the target stores. */
  readonly tape: Tape;
  /** Bytes that are there all the time whatever is done: parameters, states, hyperparameters. */
  readonly residentBytes: number;
  /** What the target makes of a graph (all micro-batches, where there are several) with a strategy's storage; `reused` unless told. */
  plan(graph: OperatorGraph, storage?: StorageUse, sampleBlocks?: Schedule["sampleBlocks"]): TargetPlan;
  /** The same for another graph of the step, such as what another strategy made of it. */
  at(graph: OperatorGraph): PlanContext;
}

/**
 * What may share bytes:
 *
 * - `apart`: nothing; each value has bytes of its own to the end of the step
 * - `in place`: an element-wise result with an operand that dies there
 * - `reused`: also everything that is not alive at the same time
 */
export type StorageUse = "apart" | "in place" | "reused";

/** What a strategy made of a training step. */
export interface StrategyPlan {
  /** The same computation; operations that repeat others are marked as recomputed. */
  readonly graph: OperatorGraph;
  /** What was chosen and why, in a sentence; empty where there was nothing to choose. */
  readonly reason: string;
  /** What happens to results, where that is not what the strategy says of itself. */
  readonly results?: string;
  /** How long a step takes on a device that the strategy assumes, by plan, where it is time that is paid with. */
  readonly seconds?: number;
  /** How many samples of how many go through steps together, where they go in blocks. */
  readonly sampleBlocks?: Schedule["sampleBlocks"];
  /** No plan that takes as little adds less arithmetic than this, where a bound is known. */
  readonly leastExtraFlops?: number;
}

/** One way to fit a training step into memory. Strategies compose: one rewrites what another has left. */
export interface MemoryStrategy {
  readonly name: string;
  /** One sentence: what it does and what it costs. */
  readonly summary: string;
  readonly storage: StorageUse;
  /** What happens to loss and gradients: `the same bits`, or what changes and within which tolerance. */
  readonly results: string;
  /** Whether it is for answering as well as for training. */
  readonly forAnswers?: boolean;
  /** Into how many micro-batches it cuts a step, where it does. */
  readonly microBatches?: number;
  /**
   * Rewrites a graph.
   *
   * @throws Error if there is no plan of this kind, with the nearest that there is
   */
  plan(context: PlanContext): StrategyPlan;
}

/** Where nothing but moving and repeating is done. */
export const sameBits = "the same bits";
