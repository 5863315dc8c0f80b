import { readFile } from "node:fs/promises";
import type { DrawnFigure } from "../figure-content.ts";
import { plotlyMime } from "../mime.ts";

/** Scripts that the build leaves beside the compiled library. */
const assets = new URL("../../../assets/", import.meta.url);

async function readScript(name: string): Promise<string> {
  try {
    return await readFile(new URL(name, assets), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(`figure.save: a page needs the script ${name}, got none (${assets.pathname}); run npm run build`);
  }
}

/**
 * A page of its own that shows the figure, complete in one file: the picture, and where scripts run the interactive form in
 * its place.
 */
export async function figurePage(figure: DrawnFigure): Promise<string> {
  const bundle = await figure.bundle();
  const mime = figure.content.interactive?.mime;
  const live = mime !== undefined && mime in bundle;
  const scripts = live
    ? await Promise.all(
        [...(mime === plotlyMime ? ["plotly-cartesian.min.js"] : []), "tessera-figures.js"].map(readScript),
      )
    : [];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(figure.title)}</title>
<style>
html { background: Canvas; } body { max-width: 1100px; margin: 2rem auto; padding: 0 1rem; } svg { max-width: 100%; height: auto; }
</style>
</head>
<body>
<div id="still">${await figure.svg()}</div>
${scripts.map((text) => `<script>${text.replaceAll("</script", "<\\/script")}</script>`).join("\n")}
${live ? `<script>${startScript(mime, bundle[mime])}</script>` : ""}
</body>
</html>
`;
}

function startScript(mime: string, data: unknown): string {
  // As JSON, but with nothing that could end the script.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return `TesseraFigures.render(document.body, ${JSON.stringify(mime)}, ${json}).then(() => document.getElementById("still").remove());`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
