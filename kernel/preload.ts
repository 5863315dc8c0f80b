// What a notebook sees without an import, and what `import … from "tessera"` gives, in a notebook and in a script: the
// library and the data sets.
// The kernel calls the default export with what it lends to the library; the names that cells themselves get from the
// kernel (display, prompt, …) are in realm/notebook.ts.
import { plot, setHost } from "../lib/index.ts";
import { isHostTensor, tensorText, tensorTitle } from "../lib/tensor/index.ts";
import type { JsonObject } from "./protocol/index.ts";
import type { NotebookEnvironment } from "./realm/index.ts";

export * as datasets from "../datasets/index.ts";
export * from "../lib/index.ts";

/**
 * Lets the library show its progress in the notebook, stop between two steps when the cell is interrupted, have its
 * plain reports drawn and its tensors told where they are the value of a cell, and answer pages that ask for what a figure's output leaves out.
 */
export default function attach({ report, interruptFlag, display, comms }: NotebookEnvironment): void {
  setHost({ report, interruptFlag });
  for (const [kind, draw] of Object.entries(plot.figures)) {
    // The table is typed kind by kind; here a value has told its kind already.
    display.register(kind, (value) => (draw as (report: unknown) => plot.Figure | plot.Table)(value).display());
  }
  display.describe((value, isWhole) => {
    if (!isHostTensor(value)) return undefined;
    return isWhole ? tensorText(value) : tensorTitle(value);
  });
  // One request opens a line and one answer closes it: what is asked for is plain data.
  comms.registerTarget(plot.detailsTarget, (comm, { data }) => {
    const { figure, request } = data as { readonly figure?: unknown; readonly request?: unknown };
    plot.answerDetails(String(figure), request).then(
      (answer) => comm.close({ answer: answer as JsonObject | null }),
      (error) => comm.close({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
}
