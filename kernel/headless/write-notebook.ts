import type { Json, JsonObject, MimeBundle } from "../protocol/index.ts";
import { keepSpellings, writeJson } from "./json-text.ts";
import type { Cell, Notebook, Output } from "./notebook.ts";

// Where Python's str.splitlines breaks a text, which is where nbformat breaks it: also after control characters.
const lineEnds = "\n\v\f\x1c\x1d\x1e\x85\u2028\u2029";
const afterLineEnd = new RegExp(`(?<=[${lineEnds}]|\r(?!\n))`);

const splitMimes: readonly string[] = ["application/javascript", "image/svg+xml"];

function split(text: string): Json {
  return text === "" ? [] : text.split(afterLineEnd);
}

function splitBundle(bundle: MimeBundle): MimeBundle {
  return mapValues(bundle, (value, mime) =>
    typeof value === "string" && (mime.startsWith("text/") || splitMimes.includes(mime)) ? split(value) : value,
  );
}

function mapValues(object: JsonObject, change: (value: Json | undefined, key: string) => Json | undefined): JsonObject {
  const entries = Object.entries(object).map(([key, value]) => [key, change(value, key)]);
  return keepSpellings(object, Object.fromEntries(entries));
}

function fileOutput(output: Output): JsonObject {
  switch (output.output_type) {
    case "stream":
      return { ...output, text: split(output.text) };
    case "display_data":
    case "execute_result":
      return { ...output, data: splitBundle(output.data) };
    case "error":
      return { ...output };
  }
}

function fileCell(cell: Cell): JsonObject {
  const { attachments, ...rest } = cell;
  return {
    ...(rest as Omit<Cell, "attachments">),
    source: split(cell.source),
    // A front end's own note to itself about trust, which nbformat never stores.
    metadata: without(cell.metadata, ["trusted"]),
    ...(cell.cell_type === "code" && { outputs: cell.outputs.map(fileOutput) }),
    ...(attachments && { attachments: mapValues(attachments, (bundle) => splitBundle(bundle as MimeBundle)) }),
  };
}

function without(object: JsonObject, keys: readonly string[]): JsonObject {
  return keepSpellings(object, Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key))));
}

/** The text of a notebook's file, byte for byte as nbformat writes it. */
export function writeNotebook(notebook: Notebook): string {
  const file = keepSpellings(notebook, {
    ...notebook,
    metadata: without(notebook.metadata, ["orig_nbformat", "orig_nbformat_minor", "signature"]),
    cells: notebook.cells.map(fileCell),
  });
  return `${writeJson(file)}\n`;
}
