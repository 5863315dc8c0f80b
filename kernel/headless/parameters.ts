import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { parse as parseYaml } from "yaml";
import type { Json, JsonObject } from "../protocol/index.ts";
import { BadInput } from "./bad-input.ts";

/** Values for a notebook's parameters, by name. */
export type Parameters = JsonObject;

/**
 * Reads what `-p name=value` gives: a value is a number, `true`, `false`, `null`, a list or an object in JSON, or else text.
 *
 * @throws BadInput when there is no `=`, or no name before it
 */
export function parseParameter(given: string): Parameters {
  const [, name, text] = /^([A-Za-z_$][\w$]*)=([\s\S]*)$/.exec(given) ?? [];
  if (name === undefined) {
    throw new BadInput(`parameter: must be NAME=VALUE with a TypeScript name, got ${given}, write -p rate=0.1`);
  }
  try {
    return { [name]: JSON.parse(text) as Json };
  } catch {
    return { [name]: text };
  }
}

/**
 * Reads parameters from a YAML or JSON file that holds one object.
 *
 * @throws BadInput when the file is missing, cannot be parsed, or holds something else
 */
export async function readParameters(path: string): Promise<Parameters> {
  let values: unknown;
  try {
    const text = await readFile(path, "utf8");
    values = extname(path) === ".json" ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    const message = (error as Error).message.split("\n")[0];
    throw new BadInput(`parameters: the file must hold YAML or JSON, got ${message} (${path}), correct it`);
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    const got = JSON.stringify(values)?.slice(0, 60);
    throw new BadInput(`parameters: the file must hold names and values, got ${got} (${path}), write rate: 0.1`);
  }
  return values as Parameters;
}
