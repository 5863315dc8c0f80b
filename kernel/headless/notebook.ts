// The nouns of the notebook format, as they stand in memory: nbformat 4 with multi-line strings joined.
import type { JsonObject, MimeBundle } from "../protocol/index.ts";

/** Text that a cell printed on one of its two streams. */
interface StreamOutput {
  readonly output_type: "stream";
  readonly name: string;
  readonly text: string;
}

/** Something a cell displayed. */
export interface DisplayOutput {
  readonly output_type: "display_data";
  readonly data: MimeBundle;
  readonly metadata: JsonObject;
}

/** The value of a cell's last expression. */
export interface ResultOutput {
  readonly output_type: "execute_result";
  readonly execution_count: number | null;
  readonly data: MimeBundle;
  readonly metadata: JsonObject;
}

/** The error that ended a cell; the traceback's lines may carry ANSI colours. */
interface ErrorOutput {
  readonly output_type: "error";
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** What one cell left behind. */
export type Output = StreamOutput | DisplayOutput | ResultOutput | ErrorOutput;

interface CellBase {
  /** Present from nbformat 4.5 on. */
  readonly id?: string;
  readonly source: string;
  readonly metadata: JsonObject;
  /** Pictures that markdown refers to as `attachment:NAME`, each a MIME bundle. */
  readonly attachments?: { readonly [name: string]: MimeBundle };
}

/** A cell that is executed. */
export interface CodeCell extends CellBase {
  readonly cell_type: "code";
  readonly execution_count: number | null;
  readonly outputs: readonly Output[];
}

/** A cell of prose. */
interface MarkdownCell extends CellBase {
  readonly cell_type: "markdown";
}

/** A cell passed through to whatever format its metadata names. */
interface RawCell extends CellBase {
  readonly cell_type: "raw";
}

/** A cell; unknown keys that a file carries ride along untyped and are written back. */
export type Cell = CodeCell | MarkdownCell | RawCell;

/** A notebook; unknown keys that a file carries ride along untyped and are written back. */
export interface Notebook {
  readonly nbformat: number;
  readonly nbformat_minor: number;
  readonly metadata: JsonObject;
  readonly cells: readonly Cell[];
}

/** The tags of a cell, in their order. */
export function tagsOf(cell: Cell): readonly string[] {
  const { tags } = cell.metadata;
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [];
}

/** The first line of a cell that says something, for naming the cell to a person. */
export function firstLine(cell: Cell): string {
  return (
    cell.source
      .split("\n")
      .map((line) => line.trim())
      .find((line) => line !== "") ?? ""
  );
}

/** Whether a MIME type's data is JSON rather than text or base64. */
export function isJsonMime(mime: string): boolean {
  return mime === "application/json" || (mime.startsWith("application/") && mime.endsWith("+json"));
}
