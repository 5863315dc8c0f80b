import type { PlanOnTarget } from "../compiler/index.ts";
import type { Engine } from "../engine/index.ts";

/** An engine as memory strategies ask it: what it stores of a schedule, and in how many bytes. */
export function targetOf(engine: Engine): PlanOnTarget {
  return (schedule) => {
    const { arenaBytes, offsets, report } = engine.compile(schedule);
    const { name, layer } = report.steps[report.peak.step] ?? { name: "none", layer: "" };
    return { arenaBytes, stored: new Set(offsets.keys()), peakStep: layer === "" ? name : `${name} (${layer})` };
  };
}
