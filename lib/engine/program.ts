import type { Schedule } from "../compiler/index.ts";
import type { Operation, Phase, Value } from "../ir/index.ts";
import type { BlockedRun } from "../loops/index.ts";
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
  /** Where the step goes block by block through the samples: what is done for each block. */
  readonly run?: BlockedRun;
  /** Sizes in bytes of buffers that live during this step alone. */
  readonly scratchBytes: readonly number[];
  /** How its products are tiled, where the engine has chosen a variant other than the standard one. */
  readonly tiles?: string;
}

/** A fixed order of steps and the place in one arena of everything that they touch. */
export interface CompiledProgram {
  readonly schedule: Schedule;
  readonly steps: readonly Step[];
  /** Byte offset in the arena by value id; values of one storage have one offset. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Byte offsets of each step's scratch buffers, in the order of `scratchBytes`. */
  readonly scratchOffsets: readonly (readonly number[])[];
  /** Bytes of the device's arena. */
  readonly arenaBytes: number;
  /** What lies in the host's memory behind the arena, for programs that move things there. */
  readonly host: { readonly problem: MemoryProblem; readonly plan: MemoryPlan };
  readonly problem: MemoryProblem;
  readonly plan: MemoryPlan;
  readonly report: MemoryReport;
}

/** Offsets are multiples of a cache line, so that no two threads write into one line of two tensors. */
export const alignment = 64;

/** Where the host's memory begins: behind the arena. */
export function hostOffset(arenaBytes: number): number {
  return Math.ceil(arenaBytes / alignment) * alignment;
}

/** Bytes that an execution allocates: the arena, and behind it what lies in the host's memory. */
export function allocatedBytes({ arenaBytes, host }: CompiledProgram): number {
  return host.plan.height === 0 ? arenaBytes : hostOffset(arenaBytes) + host.plan.height;
}
