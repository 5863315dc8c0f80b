import { join } from "node:path";
import type { CodeCell, Notebook } from "../../../kernel/headless/index.ts";

/** The path of a file among the notebooks kept for tests. */
export function fixture(name: string): string {
  return join(import.meta.dirname, "../../../../test/fixtures/notebooks", name);
}

/** A code cell with this source and these tags, never executed. */
export function code(source: string, ...tags: string[]): CodeCell {
  return { cell_type: "code", source, metadata: tags.length > 0 ? { tags } : {}, execution_count: null, outputs: [] };
}

/** A notebook of these cells. */
export function notebookOf(...cells: Notebook["cells"]): Notebook {
  const kernelspec = { name: "tessera", language: "typescript", display_name: "TypeScript (Tessera)" };
  return { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells };
}
