import type { OperatorGraph } from "../ir/index.ts";
import { deadCode } from "./passes/dead-code.ts";
import { earlyUpdate } from "./passes/early-update.ts";
import { inPlace } from "./passes/in-place.ts";
import { simplify } from "./passes/simplify.ts";
import type { Pass, Schedule } from "./schedule.ts";

/** What is done to every graph, in this order. */
export const pipeline: readonly Pass[] = [simplify, deadCode, earlyUpdate, inPlace];

/** What stood before and after a pass. */
export type PassObserver = (pass: Pass, before: Schedule, after: Schedule) => void;

/**
 * Takes a graph through a list of passes to a schedule that no target has touched yet.
 *
 * @param observe called after each pass, for printing or verifying
 */
export function makeSchedule(
  graph: OperatorGraph,
  passes: readonly Pass[] = pipeline,
  observe?: PassObserver,
): Schedule {
  let schedule: Schedule = { graph, storage: new Map() };
  for (const pass of passes) {
    const before = schedule;
    schedule = pass.run(before);
    observe?.(pass, before, schedule);
  }
  return schedule;
}
