import { readFile } from "node:fs/promises";
import type { Json, JsonObject } from "../protocol/index.ts";
import { BadInput } from "./bad-input.ts";
import { keepSpellings, parseJson } from "./json-text.ts";
import { isJsonMime, type Notebook } from "./notebook.ts";

/** Languages whose notebooks the kernel runs; JavaScript is TypeScript without types. */
const languages: readonly string[] = ["typescript", "javascript"];

/**
 * Reads and checks a notebook file.
 *
 * @throws BadInput when the file is missing, not JSON, not a notebook of nbformat 4, or in another language
 */
export async function readNotebook(path: string): Promise<Notebook> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const rules: Record<string, string> = { ENOENT: "the file must exist", EISDIR: "must be a file, got a folder" };
    const rule = rules[code ?? ""] ?? `the file must be readable, got ${message}`;
    throw new BadInput(`notebook: ${rule} (${path}), give the path of an .ipynb file`);
  }
  return parseNotebook(bytes, path);
}

/**
 * Checks the bytes of a notebook file and gives the notebook in memory, its multi-line strings joined.
 *
 * @param path names the file in errors
 * @param options `anyLanguage` where the file's own word about its language does not count
 * @throws BadInput as {@link readNotebook} does
 */
export function parseNotebook(
  bytes: Uint8Array,
  path: string,
  { anyLanguage = false }: { readonly anyLanguage?: boolean } = {},
): Notebook {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new BadInput(`notebook: must be UTF-8 text, got other bytes (${path}), give an .ipynb file`);
  }
  let file: Json;
  try {
    file = parseJson(text);
  } catch (error) {
    const found = text.trim() === "" ? "an empty file" : (error as SyntaxError).message;
    throw new BadInput(`notebook: must be JSON, got ${found} (${path}), restore the file or export it again`);
  }
  return new Checker(path, anyLanguage).notebook(file);
}

type Kind = "object" | "array" | "string" | "number";

/** Walks a parsed file, checks it against nbformat 4's schema, and joins what the file splits into lines. */
class Checker {
  readonly #path: string;

  readonly #anyLanguage: boolean;

  constructor(path: string, anyLanguage: boolean) {
    this.#path = path;
    this.#anyLanguage = anyLanguage;
  }

  notebook(file: Json): Notebook {
    const root = this.#object(file, "the file");
    if (root.nbformat === undefined) {
      const keys = Object.keys(root).slice(0, 4).join(", ") || "none";
      throw this.#error("must have the key nbformat", `the keys ${keys}`, "give a Jupyter notebook");
    }
    const version = `${root.nbformat}.${root.nbformat_minor ?? 0}`;
    if (root.nbformat !== 4) {
      const remedy = "convert it with `jupyter nbconvert --to notebook --nbformat 4`";
      throw this.#error("must be of nbformat 4", version, remedy);
    }
    this.#check(root.nbformat_minor, "number", "nbformat_minor");
    const metadata = this.#object(root.metadata, "metadata");
    if (!this.#anyLanguage) this.#language(metadata);
    const cells = this.#array(root.cells, "cells").map((cell, index) => this.#cell(cell, `cells[${index}]`));
    return keepSpellings(root, { ...root, cells }) as unknown as Notebook;
  }

  /** Refuses a notebook that names another language; one that names none is taken for ours. */
  #language(metadata: JsonObject): void {
    const named = [metadata.language_info, metadata.kernelspec].map((value) => {
      const { name, language } = (value ?? {}) as JsonObject;
      return value === metadata.kernelspec ? language : name;
    });
    const language = named.find((name) => typeof name === "string");
    if (typeof language === "string" && !languages.includes(language.toLowerCase())) {
      throw this.#error(`must be in ${languages.join(" or ")}`, language, "run it with a kernel for that language");
    }
  }

  #cell(value: Json, where: string): JsonObject {
    const cell = this.#object(value, where);
    const { cell_type: type } = cell;
    if (type !== "code" && type !== "markdown" && type !== "raw") {
      throw this.#wrong(`${where}.cell_type`, '"code", "markdown" or "raw"', type);
    }
    const source = this.#text(cell.source, `${where}.source`);
    this.#object(cell.metadata, `${where}.metadata`);
    const joined: { [key: string]: Json } = { source };
    if (cell.attachments !== undefined) {
      const attachments = this.#object(cell.attachments, `${where}.attachments`);
      joined.attachments = Object.fromEntries(
        Object.entries(attachments).map(([name, bundle]) => [name, this.#bundle(bundle, `${where}.attachments`)]),
      );
    }
    if (type === "code") {
      if (cell.execution_count !== null) this.#check(cell.execution_count, "number", `${where}.execution_count`);
      const outputs = this.#array(cell.outputs, `${where}.outputs`);
      joined.outputs = outputs.map((output, index) => this.#output(output, `${where}.outputs[${index}]`));
    }
    return keepSpellings(cell, { ...cell, ...joined });
  }

  #output(value: Json, where: string): JsonObject {
    const output = this.#object(value, where);
    switch (output.output_type) {
      case "stream":
        this.#check(output.name, "string", `${where}.name`);
        return keepSpellings(output, { ...output, text: this.#text(output.text, `${where}.text`) });
      case "display_data":
      case "execute_result":
        this.#object(output.metadata, `${where}.metadata`);
        return keepSpellings(output, { ...output, data: this.#bundle(output.data, `${where}.data`) });
      case "error":
        this.#check(output.ename, "string", `${where}.ename`);
        this.#check(output.evalue, "string", `${where}.evalue`);
        for (const line of this.#array(output.traceback, `${where}.traceback`)) {
          this.#check(line, "string", `a line of ${where}.traceback`);
        }
        return output;
      default: {
        const types = '"stream", "display_data", "execute_result" or "error"';
        throw this.#wrong(`${where}.output_type`, types, output.output_type);
      }
    }
  }

  #bundle(value: Json | undefined, where: string): JsonObject {
    const bundle = this.#object(value, where);
    const joined = Object.entries(bundle).map(([mime, data]) => [
      mime,
      isJsonMime(mime) ? data : this.#text(data, `${where}["${mime}"]`),
    ]);
    return keepSpellings(bundle, Object.fromEntries(joined));
  }

  /** A multi-line string: a string, or the list of its lines. */
  #text(value: Json | undefined, where: string): string {
    if (typeof value === "string") return value;
    if (Array.isArray(value) && value.every((line) => typeof line === "string")) return value.join("");
    throw this.#wrong(where, "a string or a list of strings", value);
  }

  #object(value: Json | undefined, where: string): JsonObject {
    this.#check(value, "object", where);
    return value as JsonObject;
  }

  #array(value: Json | undefined, where: string): readonly Json[] {
    this.#check(value, "array", where);
    return value as readonly Json[];
  }

  #check(value: Json | undefined, kind: Kind, where: string): void {
    if (kindOf(value) !== kind) throw this.#wrong(where, `${kind === "string" ? "a" : "an"} ${kind}`, value);
  }

  #wrong(where: string, wanted: string, value: Json | undefined): BadInput {
    const shown = value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
    return this.#error(`${where} must be ${wanted}`, shown, "repair the file or export it again");
  }

  #error(rule: string, got: string, remedy: string): BadInput {
    return new BadInput(`notebook: ${rule}, got ${got} (${this.#path}), ${remedy}`);
  }
}

function kindOf(value: Json | undefined): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
