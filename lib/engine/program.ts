import type { Schedule } from "../compiler/index.ts";
import type { Operation, Phase, Value } from "../ir/index.ts";
import type { MemoryPlan, MemoryProblem, MemoryReport } from "../memory/index.ts";

/** What an engine executes at a time: one operation, or several fused into one pass over their elements. */
export interface Step {
  /** The operators in it, such as `matmul + addBias + relu`. */
  readonly name: string;
  readonly phase: Phase;
  readonly layer: string;
  readonly operations: readonly Operation[];
  /** Values taken from the arena. */
  readonly reads: readonly Value[];
  /** Values put into the arena; what only travels inside the step is in neither list. */
  readonly writes: readonly Value[];
  /** Sizes in bytes of buffers that live during this step alone. */
  readonly scratchBytes: readonly number[];
}

/** A fixed order of steps and the place in one arena of everything that they touch. */
export interface CompiledProgram {
  readonly schedule: Schedule;
  readonly steps: readonly Step[];
  /** Byte offset in the arena by value id; values of one storage have one offset. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Byte offsets of each step's scratch buffers, in the order of `scratchBytes`. */
  readonly scratchOffsets: readonly (readonly number[])[];
  readonly arenaBytes: number;
  readonly problem: MemoryProblem;
  readonly plan: MemoryPlan;
  readonly report: MemoryReport;
}
