/** Parts of a cell between delimiters; a line that contains one is a delimiter, as nbgrader has it. */
export interface Delimiters {
  readonly begin: string;
  readonly end: string;
  /** What the part is called in errors. */
  readonly name: string;
}

export const solutionRegion: Delimiters = { begin: "BEGIN SOLUTION", end: "END SOLUTION", name: "solution" };
export const hiddenTestsRegion: Delimiters = {
  begin: "BEGIN HIDDEN TESTS",
  end: "END HIDDEN TESTS",
  name: "hidden tests",
};
export const markSchemeRegion: Delimiters = { begin: "BEGIN MARK SCHEME", end: "END MARK SCHEME", name: "mark scheme" };

/** What is wrong with a source's delimiters, or null. */
export function regionTrouble(source: string, { begin, end, name }: Delimiters): string | null {
  let isInside = false;
  for (const [index, line] of source.split("\n").entries()) {
    if (line.includes(begin)) {
      if (isInside) return `${name}: ${begin} must not stand inside another, got one in line ${index + 1}`;
      isInside = true;
    } else if (line.includes(end)) {
      if (!isInside) return `${name}: ${end} must follow ${begin}, got it alone in line ${index + 1}`;
      isInside = false;
    }
  }
  return isInside ? `${name}: ${begin} must be closed by ${end}, got none` : null;
}

/** The source with each region replaced by `stub`, indented as its first line is; null where there is no region. */
export function replaceRegions(source: string, { begin, end }: Delimiters, stub: readonly string[]): string | null {
  const lines: string[] = [];
  let isInside = false;
  let found = false;
  for (const line of source.split("\n")) {
    if (line.includes(begin)) {
      const indent = /^\s*/.exec(line)?.[0] ?? "";
      lines.push(...stub.map((text) => indent + text));
      isInside = true;
      found = true;
    } else if (line.includes(end)) {
      isInside = false;
    } else if (!isInside) {
      lines.push(line);
    }
  }
  return found ? lines.join("\n") : null;
}
