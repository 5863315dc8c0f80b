/** A problem as the search sees it: sizes in units, lifespans as inclusive ranges of sections. */
export interface SearchProblem {
  readonly count: number;
  /** Stretches of time in which no buffer dies before one begins; only the fullest moment of each counts. */
  readonly sections: number;
  readonly size: Float64Array;
  readonly alignment: Float64Array;
  /** First and last section in which each buffer is alive. */
  readonly first: Int32Array;
  readonly last: Int32Array;
}

/** The sum of all sizes alive in each section. */
export function sectionLoads({ count, sections, size, first, last }: SearchProblem): Float64Array {
  const loads = new Float64Array(sections);
  for (let buffer = 0; buffer < count; buffer++) {
    for (let section = first[buffer]; section <= last[buffer]; section++) loads[section] += size[buffer];
  }
  return loads;
}
