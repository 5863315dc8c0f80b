import { stripVTControlCharacters, types } from "node:util";
import vm from "node:vm";
import type { Look, Looked } from "./messages.ts";
import { plainText } from "./render.ts";

/** Of each object on the way to its oldest ancestor. */
const mostMembers = 1000;
const mostLines = 12;
const mostCharacters = 1200;

/**
 * Looks at a value for a reader who is writing a cell: types say nothing about what was parsed from JSON or fetched. No
 * code of the notebook is run, since nothing could stop it: what only a getter, a proxy or an object's own way of being
 * printed could tell stays untold.
 */
export function look({ path: [root, ...keys] }: Look): Looked | null {
  try {
    let value = valueNamed(root);
    for (const key of keys) value = memberOf(value, key);
    const members = membersOf(value);
    return value === undefined ? null : { members, text: typeof value === "function" ? null : shortText(value) };
  } catch {
    // There is no such name or no such member: nothing to tell.
    return null;
  }
}

/** The value of a name in the outermost scope. */
function valueNamed(name: string): unknown {
  const globally = Object.getOwnPropertyDescriptor(globalThis, name);
  return globally === undefined ? vm.runInThisContext(name) : globally.value;
}

function memberOf(value: unknown, key: string): unknown {
  for (const owner of ownersOf(value)) {
    const found = Object.getOwnPropertyDescriptor(owner, key);
    if (found !== undefined) return found.value;
  }
  return undefined;
}

/** Where a value's members are looked for, one after the other, as far as looking runs no code. */
function* ownersOf(value: unknown): Generator<object> {
  let owner: object | null = value === null || value === undefined ? null : Object(value);
  for (; owner !== null && !types.isProxy(owner); owner = Object.getPrototypeOf(owner)) yield owner;
}

/** Own members first, then inherited ones, up to what every object has. */
function membersOf(value: unknown): Looked["members"] {
  const members = new Map<string, Looked["members"][number]>();
  for (const [generation, owner] of [...ownersOf(value)].entries()) {
    if (owner === Object.prototype) break;
    if (generation === 0 && isList(owner)) continue;
    for (const text of Object.getOwnPropertyNames(owner).slice(0, mostMembers)) {
      if (members.has(text) || text === "constructor") continue;
      const found = Object.getOwnPropertyDescriptor(owner, text);
      members.set(text, {
        text,
        type: typeof found?.value === "function" ? "method" : "property",
        isOwn: owner === value,
      });
    }
  }
  return [...members.values()];
}

/** Whether an object's own members are numbered. */
function isList(owner: object): boolean {
  return Array.isArray(owner) || ArrayBuffer.isView(owner) || owner instanceof String;
}

function shortText(value: unknown): string {
  const text = plainText(value, { colors: false, customInspect: false }).slice(0, mostCharacters);
  const lines = stripVTControlCharacters(text).split("\n");
  return lines.length > mostLines ? [...lines.slice(0, mostLines), "…"].join("\n") : lines.join("\n");
}
