import ts from "typescript";
import type { LanguageOptions } from "./messages.ts";
import { serve } from "./serve.ts";
import { createLanguage } from "./service.ts";
import type { LoadTslab } from "./tslab.ts";
import { mountPoint, mountSystem } from "./working-directory.ts";

/** Cells of the kind that come first: what they touch is then in the snapshot already. */
const rehearsal = [
  "1 + 1",
  "const numbers = [1, 2, 3].map((n) => n * 2)\nconsole.log(numbers)",
  "import * as path from 'node:path'\nfor await (const x of [Promise.resolve(1)]) path.join('a', String(x))",
  "interface Point { x: number }\nclass Place implements Point { x = 1 }\nfunction f(p: Point): number { return p.x }\nf(new Place())",
  "const { x, ...rest } = { x: 1, y: 'text' }; new Map(Object.entries(rest)).get('y')?.toUpperCase()",
  "await Promise.all([Promise.resolve(1)]); Math.max(...numbers.filter(Boolean)).toFixed(1)",
  "const wrong: number = 'text'",
];

/**
 * Opens the compiler, lets it read all declarations that every notebook needs, and rehearses. Returns what to do when the
 * snapshot of all that comes to life: to serve the notebook of a working directory.
 */
export function freeze(load: LoadTslab, options: LanguageOptions): (workingDirectory: string) => void {
  let directory = "/nonexistent";
  // What compares text by the rules of a human language holds on to something outside of JavaScript, which cannot be
  // frozen. Completion does so inside of TypeScript, too, and is therefore not rehearsed.
  const { localeCompare } = String.prototype;
  setLocaleCompare(function (this: string, other) {
    return this < other ? -1 : this > other ? 1 : 0;
  });
  const system = mountSystem(ts.sys, () => directory);
  const language = createLanguage(load, { ...options, workingDirectory: mountPoint }, system);
  for (const [index, code] of rehearsal.entries()) language.check({ code, name: `cell${index}.ts` });
  language.inspect({ code: "numbers", position: 3 });
  language.isComplete({ code: "1 +" });
  // Summing up for the first time, not warmed up, takes longer than a cell may wait.
  language.settle({ atLeast: 1 });
  language.reset({});
  return (workingDirectory) => {
    directory = workingDirectory;
    setLocaleCompare(localeCompare);
    serve(language);
  };
}

function setLocaleCompare(value: (this: string, other: string) => number): void {
  Object.defineProperty(String.prototype, "localeCompare", { value, configurable: true, writable: true });
}
