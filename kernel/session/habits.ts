import type { JsonObject } from "../protocol/index.ts";

/** The name in `?name`, `name?` and the like, by which IPython's users ask what something is. */
export function askedAbout(code: string): string | undefined {
  const found = /^\s*(?:\?{1,2}\s*([\w$.]+)|([\w$.]+)\s*\?{1,2})\s*;?\s*$/.exec(code);
  return found?.[1] ?? found?.[2];
}

/** What is shown when nothing is known about a name. */
export function nothingAbout(name: string): JsonObject {
  return { "text/plain": `${name} is not a name that this notebook knows` };
}

/** What to do instead of the parts of IPython that are no Python; undefined for a cell without them. */
export function insteadOfMagic(code: string): string | undefined {
  if (/^\s*[%!]?\s*(pip|conda|npm)\s+install\b/.test(code))
    return "packages are installed in a terminal, in the folder of the notebook: npm install name";
  if (/^\s*%%?time/.test(code)) return 'there is no %time: console.time("name") … console.timeEnd("name") measure';
  if (/^\s*%%?[a-z]/.test(code)) return "there are no %magics: a cell is TypeScript, and ?name tells about a name";
  // Not a negation, as in `!ready && start()`.
  if (/^\s*!\s*[a-z]\w*(\s*$|\s+(?!in\b|instanceof\b)[-\w./~"'])/.test(code))
    return 'there is no !command: import { execSync } from "node:child_process"; execSync("command").toString()';
  return undefined;
}
