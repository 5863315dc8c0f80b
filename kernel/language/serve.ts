import { setFlagsFromString } from "node:v8";
import type { Language, LanguageRequest, LanguageResponse } from "./messages.ts";

/** After this many milliseconds without a question the reader is taken to think, and does not wait for tidying up … */
const idleAfter = 1000;
/** … which this many cells make worth the while. */
const fewestToSettle = 20;
/** Cells that follow each other without a rest must not pile up. */
const mostUnsettled = 200;

/** Answers the questions of the process that started this one, until it goes away; tidies up when there are none. */
export function serve(language: Language): void {
  let idle: NodeJS.Timeout | undefined;
  let garbage = false;
  const collect = (): void => {
    // V8 would take its time to find what was just let go.
    if (garbage) globalThis.gc?.();
    garbage = false;
  };
  process.on("message", (request: LanguageRequest) => {
    clearTimeout(idle);
    process.send?.(answer(language, request));
    setImmediate(() => {
      // Never both at once: a cell that comes right behind this one waits for it.
      if (garbage) collect();
      else garbage = settle(language, mostUnsettled);
    });
    idle = setTimeout(() => {
      garbage = settle(language, fewestToSettle) || garbage;
      // V8 leaves holes where garbage was. Now there is time to close them.
      setFlagsFromString("--compact-on-every-full-gc");
      collect();
      setFlagsFromString("--no-compact-on-every-full-gc");
    }, idleAfter);
  });
  process.on("disconnect", () => process.exit());
}

/** A notebook whose old cells cannot be summed up goes on with all of them. */
function settle(language: Language, atLeast: number): boolean {
  try {
    return language.settle({ atLeast });
  } catch (error) {
    console.error(`language: old cells must be summed up, got ${error}; they stay in memory`);
    return false;
  }
}

function answer(language: Language, { id, method, parameters }: LanguageRequest): LanguageResponse {
  try {
    const ask = language[method] as (given: typeof parameters) => ReturnType<Language[typeof method]>;
    return { id, result: ask(parameters) };
  } catch (error) {
    return { id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
