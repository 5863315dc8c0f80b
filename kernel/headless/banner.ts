import type { Cell, Notebook } from "./notebook.ts";
import { tagsOf } from "./notebook.ts";
import type { RunResult } from "./run-notebook.ts";

const bannerTag = "run-stopped";

/** A notebook without the banner of an earlier run. */
export function withoutBanner(notebook: Notebook): Notebook {
  const cells = notebook.cells.filter((cell) => !tagsOf(cell).includes(bannerTag));
  return cells.length === notebook.cells.length ? notebook : { ...notebook, cells };
}

/** The executed notebook; where a cell ended the run, its first cell says which, and why. */
export function withBanner({ notebook, failure, outcome }: RunResult): Notebook {
  if (failure === undefined) return notebook;
  const { place, ename, evalue } = failure;
  const verb = outcome === "interrupted" ? "was interrupted" : "failed";
  const where = `Code cell ${place.number} of ${place.count}`;
  const link = place.cell.id === undefined ? where : `[${where}](#${place.cell.id})`;
  const said = `${ename}: ${evalue}`.split("\n")[0].replaceAll("`", "'");
  const banner: Cell = {
    cell_type: "markdown",
    ...(notebook.nbformat_minor >= 5 && { id: bannerTag }),
    metadata: { tags: [bannerTag] },
    source: `> **This run stopped.** ${link} ${verb}: \`${said}\`. The cells after it were not executed.`,
  };
  return { ...notebook, cells: [banner, ...notebook.cells] };
}
