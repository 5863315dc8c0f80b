import type { MemoryProblem } from "./problem.ts";

/** The largest sum of bytes alive at one step: no plan can be lower. Cost: O(n log n). */
export function liveBound({ buffers }: MemoryProblem): number {
  const changes = buffers.flatMap(({ size, start, end }) =>
    start < end
      ? [
          { step: start, bytes: size },
          { step: end, bytes: -size },
        ]
      : [],
  );
  // What ends at a step is gone before what begins there.
  changes.sort((a, b) => a.step - b.step || a.bytes - b.bytes);
  let live = 0;
  let most = 0;
  for (const { bytes } of changes) {
    live += bytes;
    most = Math.max(most, live);
  }
  return most;
}
