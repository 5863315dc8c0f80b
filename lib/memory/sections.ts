import type { MemoryProblem } from "./problem.ts";
import type { SearchProblem } from "./search-problem.ts";

/** A problem made ready to be searched, and the way back. */
export interface Sections {
  readonly problem: SearchProblem;
  /** Position in the memory problem of each buffer searched: those that never occupy a byte are left out. */
  readonly positions: Int32Array;
  /** Bytes of one unit: every size and every possible offset is a multiple of it. */
  readonly unit: number;
}

/**
 * Cuts time into sections: one for each moment at which the set of live buffers is not part of a larger one nearby,
 * which is where something ends after something has begun. Buffers share a section exactly when they are alive
 * together. Cost: O(n log n).
 */
export function sectionsOf({ buffers }: MemoryProblem): Sections {
  const positions = Int32Array.from(
    buffers.flatMap(({ size, start, end }, index) => (size > 0 && start < end ? [index] : [])),
  );
  const count = positions.length;
  let unit = 0;
  for (const position of positions) {
    const { size, alignment } = buffers[position];
    unit = greatestCommonDivisor(unit, size);
    // Whatever is aligned to one byte lies where its neighbours end.
    if (alignment > 1) unit = greatestCommonDivisor(unit, alignment);
  }
  const size = new Float64Array(count);
  const alignment = new Float64Array(count);
  const changes: { readonly step: number; readonly begins: boolean; readonly buffer: number }[] = [];
  for (let buffer = 0; buffer < count; buffer++) {
    const { start, end, ...tensor } = buffers[positions[buffer]];
    size[buffer] = tensor.size / unit;
    alignment[buffer] = tensor.alignment > 1 ? tensor.alignment / unit : 1;
    changes.push({ step: start, begins: true, buffer }, { step: end, begins: false, buffer });
  }
  changes.sort((a, b) => a.step - b.step || Number(a.begins) - Number(b.begins));
  const first = new Int32Array(count);
  const last = new Int32Array(count);
  let section = 0;
  let begun = false;
  for (const { begins, buffer } of changes) {
    if (begins) {
      first[buffer] = section;
      begun = true;
    } else {
      if (begun) section++;
      begun = false;
      last[buffer] = section - 1;
    }
  }
  return { problem: { count, sections: section, size, alignment, first, last }, positions, unit };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
