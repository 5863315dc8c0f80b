import type { GraphReport } from "../../compiler/index.ts";
import { Figure } from "../figure.ts";
import { placeholder } from "../look/placeholder.ts";
import { tesseraMime } from "../mime.ts";
import { graphPicture, graphSummary, graphTitle } from "./graph-picture.ts";

/**
 * Shows an operator graph folded: each layer a row, forward going down, gradients coming back up beside it.
 *
 * @param options.title what to call the program instead of the report's own title
 */
export function graph(titled: GraphReport, options: { readonly title?: string } = {}): Figure {
  const report = { ...titled, title: options.title ?? titled.title };
  if (report.nodes.length === 0) {
    const message = "Nothing to draw: the graph has no operators.";
    return new Figure({
      kind: "operator-graph",
      picture: placeholder(graphTitle(report), message),
      summary: `operator graph of ${report.title}: ${message}`,
    });
  }
  return new Figure({
    kind: "operator-graph",
    picture: graphPicture(report),
    summary: graphSummary(report),
    interactive: { mime: tesseraMime, data: report },
  });
}
