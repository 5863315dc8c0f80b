import { type InspectOptions, inspect } from "node:util";
import type { Json, JsonObject, MimeBundle } from "../protocol/index.ts";
import type { Rendering } from "./messages.ts";

/** Draws plain data of one `kind` for front ends: media type → representation. Binary ones may be bytes. */
export type Renderer = (value: never) => Drawn | Promise<Drawn>;

/** A bundle, or a bundle and its metadata, media type → what belongs to that representation, as IPython takes them. */
type Drawn = DrawnBundle | readonly [data: DrawnBundle, metadata: object];

/** Media type → text, JSON, or bytes (which travel as base64). */
export type DrawnBundle = { readonly [mediaType: string]: unknown };

/** Tells an object in its own words: the whole of it, or one line where it is a part of something else. */
export type Describer = (value: object, isWhole: boolean) => string | undefined;

/** How deep, and how many items of each list, the text of a value goes. */
const depth = 4;
const maxArrayLength = 100;

/** Any library's object may carry this method and return its own {@link Drawn}. */
export const displayMethod = Symbol.for("Jupyter.display");

const renderers = new Map<string, Renderer>();
const describers: Describer[] = [];

/** Chooses who draws plain data whose `kind` is this. */
export function register(kind: string, renderer: Renderer): void {
  renderers.set(kind, renderer);
}

/** Adds one to those that are asked about every object. */
export function describe(describer: Describer): void {
  describers.push(describer);
}

/** A value as front ends can show it: at once where that is possible. */
export function render(value: unknown): Rendering | Promise<Rendering> {
  const drawn = draw(value);
  if (drawn === undefined) return { data: { "text/plain": plainText(value) }, metadata: {} };
  const finish = (given: Drawn): Rendering => {
    const [bundle, metadata] = isPair(given) ? given : [given, {}];
    return { data: withPlainText(encode(bundle), value), metadata: metadata as JsonObject };
  };
  return drawn instanceof Promise ? drawn.then(finish) : finish(drawn);
}

function isPair(given: Drawn): given is readonly [DrawnBundle, object] {
  return Array.isArray(given);
}

function draw(value: unknown): Drawn | Promise<Drawn> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { [displayMethod]: method, kind } = value as { [displayMethod]?: unknown; kind?: unknown };
  if (typeof method === "function") return method.call(value) as Drawn | Promise<Drawn>;
  const renderer = typeof kind === "string" ? renderers.get(kind) : undefined;
  return renderer?.(value as never);
}

/** What a console shows: numbers and the like plain, structures coloured. */
export function plainText(value: unknown, differing: InspectOptions = {}): string {
  const structured = (typeof value === "object" && value !== null) || typeof value === "function";
  const told = structured ? toldByDescribers(value, true) : undefined;
  const options = { colors: structured, depth, maxArrayLength, maxStringLength: 10_000, ...differing };
  return told ?? inspect(structured ? withDescriptions(value, 0) : value, options);
}

function toldByDescribers(value: object, isWhole: boolean): string | undefined {
  for (const describer of describers) {
    const told = describer(value, isWhole);
    if (told !== undefined) return told;
  }
  return undefined;
}

/** The same value, or a copy for the console in which what describers know is replaced by what they say. */
function withDescriptions(value: unknown, level: number): unknown {
  if (typeof value !== "object" || value === null || level > depth) return value;
  const told = level > 0 ? toldByDescribers(value, false) : undefined;
  if (told !== undefined) return { [inspect.custom]: () => told };
  const isArray = Array.isArray(value);
  if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) return value;
  const keys = isArray ? [...value.slice(0, maxArrayLength).keys()] : Object.keys(value);
  const replaced = keys.flatMap((key) => {
    // A getter is nobody's to call.
    const member: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
    const described = withDescriptions(member, level + 1);
    return described === member ? [] : [[key, described] as const];
  });
  if (replaced.length === 0) return value;
  const copy: object = isArray ? [...value] : Object.defineProperties({}, Object.getOwnPropertyDescriptors(value));
  for (const [key, described] of replaced) Object.defineProperty(copy, key, { value: described, enumerable: true });
  return copy;
}

/** Every bundle needs a form that the poorest front end can show. */
function withPlainText(data: MimeBundle, value: unknown): MimeBundle {
  return "text/plain" in data ? data : { ...data, "text/plain": plainText(value) };
}

/** Makes bytes base64 text and checks that the rest can travel as JSON. */
export function encode(bundle: DrawnBundle): MimeBundle {
  const entries = Object.entries(bundle)
    .filter(([, representation]) => representation !== undefined)
    .map(([mediaType, representation]) => [mediaType, encodeOne(mediaType, representation)] as const);
  return Object.fromEntries(entries);
}

function encodeOne(mediaType: string, representation: unknown): Json {
  if (representation instanceof Uint8Array) return Buffer.from(representation).toString("base64");
  if (isJsonType(mediaType)) return JSON.parse(JSON.stringify(representation) ?? "null") as Json;
  if (typeof representation === "string") return representation;
  throw new TypeError(
    `display: ${mediaType} must be text or bytes, got ${typeof representation}; only JSON media types take other values`,
  );
}

function isJsonType(mediaType: string): boolean {
  return mediaType === "application/json" || mediaType.endsWith("+json");
}
