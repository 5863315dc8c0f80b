import type { Json, JsonObject } from "../protocol/index.ts";

// How a number was written, where JavaScript would write it otherwise: `1.0`, `1e5`, or an integer beyond 2⁵³.
// Kept beside the data, by the object or array that holds the number, so that the data stays plain.
const spellings = new WeakMap<object, Map<string, { readonly value: number; readonly text: string }>>();

const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON and remembers the spelling of its numbers, so that what nobody changed is written back unchanged.
 *
 * @throws SyntaxError when the text is not JSON
 */
export function parseJson(text: string): Json {
  JSON.parse(text); // The rewriting below must not be what makes a text valid.
  const mark = `\u0000${Math.random()}:`;
  const marked = text.replace(stringOrNumber, (token) =>
    token.startsWith('"') || JSON.stringify(Number(token)) === token ? token : JSON.stringify(mark + token),
  );
  if (marked === text) return JSON.parse(text);
  return JSON.parse(marked, function (this: object, key: string, value: Json): Json {
    if (typeof value !== "string" || !value.startsWith(mark)) return value;
    const spelling = value.slice(mark.length);
    const held = spellings.get(this) ?? new Map();
    spellings.set(this, held.set(key, { value: Number(spelling), text: spelling }));
    return Number(spelling);
  });
}

/** Lets `copy`, made from `original` with some keys changed, remember how the numbers it kept were written. */
export function keepSpellings<Copy extends object>(original: object, copy: Copy): Copy {
  const spelled = spellings.get(original);
  if (spelled) spellings.set(copy, spelled);
  return copy;
}

/**
 * Writes JSON as Python's nbformat does: one space of indentation, keys sorted, nothing escaped that need not be.
 * A diff between what we write and what any Jupyter front end writes then shows differences of content only.
 */
export function writeJson(value: Json, indent = ""): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent} `;
  const spelled = spellings.get(value);
  const child = (key: string, item: Json): string => {
    const spelling = spelled?.get(key);
    return spelling && Object.is(spelling.value, item) ? spelling.text : writeJson(item, inner);
  };
  const isArray = Array.isArray(value);
  const items = isArray
    ? value.map((item, index) => child(String(index), item))
    : Object.entries(value as JsonObject)
        .filter((entry): entry is [string, Json] => entry[1] !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => `${JSON.stringify(key)}: ${child(key, item)}`);
  const [open, close] = isArray ? "[]" : "{}";
  return items.length === 0 ? open + close : `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`;
}
