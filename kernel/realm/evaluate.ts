import vm from "node:vm";

/** What a cell's function returns: its value, where it ends in an expression. */
export type CellValue = { readonly value: unknown } | undefined;

const declaredNames = new Set<string>();

/** Declares names in the outermost scope, where every later script sees them. Once for each name in a realm's life. */
function declare(names: readonly string[]): void {
  for (const name of names) {
    if (declaredNames.has(name)) continue;
    vm.runInThisContext(`let ${name};`);
    declaredNames.add(name);
  }
}

/**
 * Runs a cell's function. Everything until its first `await` has run when this returns.
 *
 * @param javascript the function, as an expression
 * @param declared names that it assigns in the outermost scope
 * @param name what stack frames call it
 */
export function evaluate(
  javascript: string,
  declared: readonly string[],
  name: string,
): CellValue | Promise<CellValue> {
  const cell = vm.runInThisContext(javascript, { filename: name }) as () => CellValue | Promise<CellValue>;
  declare(declared);
  return cell();
}
