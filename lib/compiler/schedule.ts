import type { Operation, OperatorGraph } from "../ir/index.ts";
import type { StrategyReport } from "../memory/index.ts";
import { type OperatorName, operatorTable } from "../ops/index.ts";

/** A graph whose operations stand in the order of execution, and which of its values share storage. */
export interface Schedule {
  readonly graph: OperatorGraph;
  /**
   * For a value that takes over the storage of another, or is a view of it: the id of the value that came first in that
   * storage. Values that are not named have storage of their own.
   */
  readonly storage: ReadonlyMap<number, number>;
  /** Whether bytes are never used for one thing after another: what a step makes then lives to the step's end. */
  readonly apart?: boolean;
  /**
   * How many samples of how many go through steps together, one block after the other, on targets that can do that: a
   * block of a micro-batch's samples, where there are several; and whether sums over samples may grow block by block.
   */
  readonly sampleBlocks?: { readonly batch: number; readonly samples: number; readonly sums?: boolean };
  /** What a memory strategy made of the graph; shown with the memory report. */
  readonly strategy?: StrategyReport;
}

/** The id of the value that came first in a value's storage. */
export function storageOf(schedule: Schedule, valueId: number): number {
  return schedule.storage.get(valueId) ?? valueId;
}

/** True for a view of which the bytes are there already, so that nothing needs to be executed. */
export function isSharedView(schedule: Schedule, { operator, inputs, outputs }: Operation): boolean {
  const isView = operatorTable[operator as OperatorName].inPlace === "view";
  return isView && storageOf(schedule, inputs[0].id) === storageOf(schedule, outputs[0].id);
}

/** One rewriting of a program: it keeps the meaning and says what it is for. */
export interface Pass {
  readonly name: string;
  /** One sentence: what it changes and why. */
  readonly summary: string;
  run(schedule: Schedule): Schedule;
}
