// What a notebook sees without an import, and what `import … from "tessera"` gives in one: the library and the data sets.
// The kernel calls the default export with what it lends to the library; the names that cells themselves get from the
// kernel (display, prompt, …) are in realm/notebook.ts.
import { setHost } from "../lib/index.ts";
import type { NotebookEnvironment } from "./realm/index.ts";

export * as datasets from "../datasets/index.ts";
export * from "../lib/index.ts";

/** Lets the library show its progress in the notebook and stop between two steps when the cell is interrupted. */
export default function attach({ report, interruptFlag }: NotebookEnvironment): void {
  setHost({ report, interruptFlag });
}
