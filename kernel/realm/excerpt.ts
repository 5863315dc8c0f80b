export const red = (text: string): string => `\x1b[31m${text}\x1b[39m`;
export const dim = (text: string): string => `\x1b[2m${text}\x1b[22m`;
export const bold = (text: string): string => `\x1b[1m${text}\x1b[22m`;

/**
 * One line of a cell between its neighbours, with carets under the place that is meant.
 *
 * @param line counted from 1, as is `column`
 * @param length width of the place, in characters
 */
export function excerptOf(lines: readonly string[], line: number, column: number, length = 1): string[] {
  const first = Math.max(1, line - 2);
  const last = Math.min(lines.length, line + 1);
  const width = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1];
    const here = number === line;
    shown.push(`${here ? red("❯") : " "} ${dim(`${String(number).padStart(width)} │`)} ${text}`);
    if (here) {
      const indent = text.slice(0, column - 1).replace(/[^\t]/g, " ");
      shown.push(`  ${" ".repeat(width)} ${dim("│")} ${indent}${red("^".repeat(Math.max(1, length)))}`);
    }
  }
  return shown;
}
