import { randomUUID } from "node:crypto";
import type { JsonObject } from "../protocol/index.ts";
import { currentCell } from "./cell.ts";
import type { Rendering } from "./messages.ts";
import { post } from "./port.ts";
import {
  type Describer,
  type DrawnBundle,
  describe,
  encode,
  plainText,
  type Renderer,
  register,
  render,
} from "./render.ts";

/** How something is shown. */
export interface DisplayOptions {
  /** Names the output; showing something under a name that is in use replaces what is there. */
  readonly id?: string;
  /** Media type → metadata of its representation, such as `{ "image/png": { width: 300 } }`. */
  readonly metadata?: JsonObject;
}

/** An output that has been shown and can be replaced. */
export interface Shown {
  readonly id: string;
  /** Replaces the output by another value, drawn like the argument of `display`. */
  update(value: unknown): void;
}

const shownIds = new Set<string>();
const handles = new WeakSet<object>();

/** Whether a value is the handle of something that has been shown: as a cell's value it shows nothing more. */
export function isShown(value: unknown): boolean {
  return typeof value === "object" && value !== null && handles.has(value);
}

function send(rendering: Rendering, options: DisplayOptions, cell = currentCell()): Shown {
  const id = options.id ?? randomUUID();
  const metadata = { ...rendering.metadata, ...options.metadata };
  post({ type: "display", cell: cell.id, update: shownIds.has(id), displayId: id, data: rendering.data, metadata });
  shownIds.add(id);
  const shown: Shown = { id, update: (value) => void show(value, { ...options, id }) };
  handles.add(shown);
  return shown;
}

/**
 * Shows a value as the last expression of a cell is shown. What takes a while to draw keeps its place: its plain text
 * stands there until the picture does.
 */
function show(value: unknown, options: DisplayOptions = {}): Shown {
  const rendering = render(value);
  if (!(rendering instanceof Promise)) return send(rendering, options);
  const cell = currentCell();
  const shown = send({ data: { "text/plain": plainText(value) }, metadata: {} }, options, cell);
  const drawing = rendering.then(
    (drawn) => void send(drawn, { ...options, id: shown.id }, cell),
    (error) => console.error(error),
  );
  cell.drawing.add(drawing);
  drawing.finally(() => cell.drawing.delete(drawing));
  return shown;
}

/** Shows representations of one value, each under its media type. */
function showBundle(bundle: DrawnBundle, options: DisplayOptions = {}): Shown {
  return send({ data: encode(bundle), metadata: {} }, options);
}

type ShowText = (text: string, options?: DisplayOptions) => Shown;
type ShowBytes = (bytes: Uint8Array | string, options?: DisplayOptions) => Shown;

/** Shows values in the notebook, while a cell runs. */
export interface Display {
  /** Shows a value as the last expression of a cell is shown. */
  (value: unknown, options?: DisplayOptions): Shown;
  readonly html: ShowText;
  readonly markdown: ShowText;
  /** LaTeX, with its dollar signs. */
  readonly latex: ShowText;
  readonly svg: ShowText;
  readonly javascript: ShowText;
  readonly text: ShowText;
  /** Bytes of a PNG picture, or their base64 text; so with the formats below. */
  readonly png: ShowBytes;
  readonly jpeg: ShowBytes;
  readonly gif: ShowBytes;
  readonly pdf: ShowBytes;
  /** A value that front ends show as a tree. */
  json(value: unknown, options?: DisplayOptions): Shown;
  /** One representation under any media type. */
  raw(mediaType: string, representation: unknown, options?: DisplayOptions): Shown;
  /** Several representations of one value: front ends choose the richest that they know. */
  bundle(bundle: DrawnBundle, options?: DisplayOptions): Shown;
  /** Replaces the output of this id, wherever it stands. */
  update(id: string, value: unknown): Shown;
  /** Chooses who draws plain data whose `kind` is this. */
  register(kind: string, renderer: Renderer): void;
  /** Lets objects that a function knows be told in its words, wherever the text of a value stands. */
  describe(describer: Describer): void;
}

const showOne = (mediaType: string, value: unknown, options?: DisplayOptions): Shown =>
  showBundle({ [mediaType]: value }, options);

const showAs =
  (mediaType: string) =>
  (value: unknown, options?: DisplayOptions): Shown =>
    showOne(mediaType, value, options);

/** {@link Display} */
export const display: Display = Object.assign(show, {
  html: showAs("text/html"),
  markdown: showAs("text/markdown"),
  latex: showAs("text/latex"),
  svg: showAs("image/svg+xml"),
  javascript: showAs("text/javascript"),
  text: showAs("text/plain"),
  png: showAs("image/png"),
  jpeg: showAs("image/jpeg"),
  gif: showAs("image/gif"),
  pdf: showAs("application/pdf"),
  json: showAs("application/json"),
  raw: showOne,
  bundle: showBundle,
  update: (id: string, value: unknown) => {
    shownIds.add(id);
    return show(value, { id });
  },
  register,
  describe,
});

/** Takes away what the cell has shown so far; with `wait`, only when something new is there to take its place. */
export function clearOutput(options: { readonly wait?: boolean } = {}): void {
  post({ type: "clear", cell: currentCell().id, wait: options.wait ?? false });
}
