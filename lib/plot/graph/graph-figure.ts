import type { GraphReport } from "../../compiler/index.ts";
import { Figure } from "../figure.ts";
import { placeholder } from "../look/placeholder.ts";
import { tesseraMime } from "../mime.ts";
import { graphPicture, graphSummary, graphTitle } from "./graph-picture.ts";

/** Shows an operator graph folded: each layer a row, forward going down, gradients coming back up beside it. */
export function graph(report: GraphReport): Figure {
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
