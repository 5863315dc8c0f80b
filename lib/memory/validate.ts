import type { MemoryPlan, MemoryProblem, TensorBuffer } from "./problem.ts";

/** One way in which a plan does not solve its problem; buffers are named by their position in the problem. */
export type Violation =
  | { readonly kind: "count"; readonly expected: number; readonly got: number }
  | { readonly kind: "offset"; readonly buffer: number; readonly offset: number }
  | { readonly kind: "alignment"; readonly buffer: number; readonly offset: number }
  | { readonly kind: "height"; readonly buffer: number; readonly end: number }
  | { readonly kind: "overlap"; readonly buffer: number; readonly other: number };

/**
 * Everything that is wrong with a plan; empty for a valid one. Compares every pair of buffers, so that no solver's
 * cleverness is trusted. Cost: O(n²).
 */
export function validatePlan({ buffers }: MemoryProblem, { offsets, height }: MemoryPlan): Violation[] {
  if (offsets.length !== buffers.length) return [{ kind: "count", expected: buffers.length, got: offsets.length }];
  const violations: Violation[] = [];
  for (const [index, buffer] of buffers.entries()) {
    const offset = offsets[index];
    if (!Number.isSafeInteger(offset) || offset < 0) violations.push({ kind: "offset", buffer: index, offset });
    else if (offset % buffer.alignment !== 0) violations.push({ kind: "alignment", buffer: index, offset });
    if (offset + buffer.size > height) violations.push({ kind: "height", buffer: index, end: offset + buffer.size });
    if (!occupies(buffer)) continue;
    for (let other = 0; other < index; other++) {
      const { size, start, end } = buffers[other];
      const together = start < buffer.end && buffer.start < end;
      if (
        together &&
        occupies(buffers[other]) &&
        offsets[other] < offset + buffer.size &&
        offset < offsets[other] + size
      ) {
        violations.push({ kind: "overlap", buffer: index, other });
      }
    }
  }
  return violations;
}

/** What has no bytes, or is never alive, collides with nothing. */
function occupies({ size, start, end }: TensorBuffer): boolean {
  return size > 0 && start < end;
}
