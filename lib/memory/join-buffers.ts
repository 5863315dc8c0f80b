import { type SearchProblem, sectionLoads } from "./search-problem.ts";

/** A problem in which some buffers stand for several, and the way back. */
export interface JoinedProblem {
  readonly problem: SearchProblem;
  /** The buffer that stands for each one. */
  readonly joined: Int32Array;
}

/**
 * Joins buffers that must lie at the same offset. Where two sections that follow upon each other are filled to the
 * capacity, and one buffer ends between them and one begins, the second takes the place of the first: all else stays
 * where it is and leaves no other room. The joined problem fits the capacity exactly if the problem does.
 */
export function joinBuffers(problem: SearchProblem, capacity: number): JoinedProblem {
  let current = problem;
  let joined = Int32Array.from({ length: problem.count }, (_, buffer) => buffer);
  for (;;) {
    // Joining can leave one buffer on either side where there were more: until nothing changes.
    const stand = successors(current, capacity);
    if (stand.every((buffer, index) => buffer === index)) return { problem: current, joined };
    const index = new Int32Array(current.count).fill(-1);
    let count = 0;
    for (let buffer = 0; buffer < current.count; buffer++) if (stand[buffer] === buffer) index[buffer] = count++;
    joined = joined.map((buffer) => index[stand[buffer]]);
    current = joinInto(current, stand, index, count);
  }
}

/** For each buffer the first of the row of buffers that follow upon each other at one offset. */
function successors(problem: SearchProblem, capacity: number): Int32Array {
  const { count, sections, alignment, first, last } = problem;
  const loads = sectionLoads(problem);
  const ends: number[][] = Array.from({ length: sections }, () => []);
  const begins: number[][] = Array.from({ length: sections }, () => []);
  for (let buffer = 0; buffer < count; buffer++) {
    ends[last[buffer]].push(buffer);
    begins[first[buffer]].push(buffer);
  }
  const stand = Int32Array.from({ length: count }, (_, buffer) => buffer);
  for (let section = 0; section + 1 < sections; section++) {
    if (loads[section] !== capacity || loads[section + 1] !== capacity) continue;
    if (ends[section].length !== 1 || begins[section + 1].length !== 1) continue;
    const [before] = ends[section];
    const [after] = begins[section + 1];
    // In the order of time, so that a row is followed from its first buffer.
    if (alignment[before] === alignment[after]) stand[after] = stand[before];
  }
  return stand;
}

/** The problem of those that stand for others, in sections that are not part of their neighbours. */
function joinInto(problem: SearchProblem, stand: Int32Array, index: Int32Array, count: number): SearchProblem {
  const first = new Int32Array(count);
  const last = new Int32Array(count);
  const size = new Float64Array(count);
  const alignment = new Float64Array(count);
  for (let buffer = 0; buffer < problem.count; buffer++) {
    const into = index[stand[buffer]];
    last[into] = Math.max(last[into], problem.last[buffer]);
    if (stand[buffer] !== buffer) continue;
    first[into] = problem.first[buffer];
    size[into] = problem.size[buffer];
    alignment[into] = problem.alignment[buffer];
  }
  const begins = new Uint8Array(problem.sections);
  const ends = new Uint8Array(problem.sections);
  for (let buffer = 0; buffer < count; buffer++) {
    begins[first[buffer]] = 1;
    ends[last[buffer]] = 1;
  }
  // A section counts where something ends after something has begun; the others are part of it or of the one before.
  const beginning = new Int32Array(problem.sections);
  const ending = new Int32Array(problem.sections);
  let sections = 0;
  let begun = false;
  for (let section = 0; section < problem.sections; section++) {
    beginning[section] = sections;
    begun ||= begins[section] === 1;
    if (ends[section] === 1 && begun) {
      sections++;
      begun = false;
    }
    ending[section] = sections - 1;
  }
  const begin = first.map((section) => beginning[section]);
  const end = last.map((section) => ending[section]);
  return { count, sections, size, alignment, first: begin, last: end };
}
