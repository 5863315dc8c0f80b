import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Cell, type CodeCell, type Notebook, tagsOf } from "../notebook.ts";
import type { Failure } from "../run-notebook.ts";
import { type FigureScripts, figureScripts } from "./figures.ts";
import { highlight } from "./highlight.ts";
import { escapeHtml } from "./html.ts";
import { createProse, type Heading, type PictureFinder, type Prose, pictureMime } from "./markdown.ts";
import { mathStyles } from "./math.ts";
import { renderOutput } from "./outputs.ts";
import { pageStyles } from "./styles.ts";

/** What a page is made with, besides the notebook. */
export interface PageOptions {
  /** Shown as the title where the notebook has no heading of the first level. */
  readonly name: string;
  /** The folder in which the pictures that the prose refers to are looked for. */
  readonly folder: string;
  /** Without them, figures stay pictures. */
  readonly scripts?: FigureScripts;
  /** Told at the top of the page. */
  readonly failure?: Failure;
  /** How long the run took. */
  readonly seconds?: number;
}

/**
 * Renders an executed notebook as one HTML file that needs no other: styles, fonts, pictures and scripts are in it, and
 * a content security policy keeps it from fetching anything, wherever it is opened.
 */
export function renderPage(notebook: Notebook, options: PageOptions): string {
  const prose = createProse();
  const cells = notebook.cells.map((cell) => renderCell(cell, prose, options)).filter((html) => html !== "");
  const title = prose.headings.find(({ level }) => level === 1)?.text ?? options.name;
  const body = [
    '<div class="page">',
    contents(prose.headings),
    "<main>",
    options.failure ? banner(options.failure, notebook) : "",
    ...cells,
    colophon(notebook, options),
    "</main>",
    "</div>",
  ].join("\n");
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${mathStyles(body)}\n${pageStyles}</style>`,
    "</head>",
    "<body>",
    body,
    figureScripts(body, options.scripts),
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

// Nothing comes from anywhere but the file itself. Authors' own scripts and styles in HTML outputs work as they do in a
// front end, and figures export pictures as blobs.
const policy = [
  "default-src 'none'",
  "img-src data: blob:",
  "media-src data: blob:",
  "font-src data:",
  "style-src 'unsafe-inline'",
  "script-src 'unsafe-inline'",
].join("; ");

function renderCell(cell: Cell, prose: Prose, options: PageOptions): string {
  switch (cell.cell_type) {
    case "markdown":
      return `<section class="cell prose">\n${prose.render(cell.source, pictures(cell, options.folder))}</section>`;
    case "code":
      return codeCell(cell, prose, options);
    case "raw": {
      // As nbconvert does: what is meant for this format passes, what is meant for another is left out.
      const format = cell.metadata.raw_mimetype ?? cell.metadata.format ?? "";
      if (format === "text/html") return `<section class="cell">${cell.source}</section>`;
      return format === "" ? `<section class="cell"><pre>${escapeHtml(cell.source)}</pre></section>` : "";
    }
  }
}

function codeCell(cell: CodeCell, prose: Prose, options: PageOptions): string {
  const { execution_count: count, outputs } = cell;
  if (cell.source.trim() === "" && outputs.length === 0) return "";
  const code = `<pre class="code"><code>${highlight(cell.source, "typescript")}</code></pre>`;
  const context = {
    pictureName: count === null ? "Figure" : `Figure from cell ${count}`,
    markdown: (source: string) => prose.render(source, pictures(cell, options.folder)),
  };
  const shown = outputs.map((output) => renderOutput(output, context)).filter((html) => html !== "");
  const jupyter = (cell.metadata.jupyter ?? {}) as { source_hidden?: boolean; outputs_hidden?: boolean };
  const isHidden = tagsOf(cell).includes("hide-input") || jupyter.source_hidden === true;
  return [
    `<section class="cell"${count === null ? "" : ` id="cell-${count}"`}>`,
    '<div class="input">',
    count === null ? "" : inMargin(count, secondsOf(cell)),
    isHidden ? `<details><summary>Code</summary>${code}</details>` : code,
    "</div>",
    shown.length === 0 ? "" : folded(`<div class="outputs">${shown.join("\n")}</div>`, jupyter.outputs_hidden === true),
    "</section>",
  ]
    .filter((line) => line !== "")
    .join("\n");
}

function inMargin(count: number, seconds: number): string {
  const took = seconds < 1 ? "" : `<span class="took">${seconds.toFixed(seconds < 100 ? 1 : 0)} s</span>`;
  return `<div class="margin"><a class="count" href="#cell-${count}" aria-label="Cell ${count}">${count}</a>${took}</div>`;
}

/** How long a cell ran by the times that its run left in the metadata; 0 where there are none. */
function secondsOf({ metadata }: CodeCell): number {
  const times = (metadata.execution ?? {}) as { readonly [moment: string]: string };
  const milliseconds = Date.parse(times["shell.execute_reply"]) - Date.parse(times["iopub.status.busy"]);
  return Number.isNaN(milliseconds) ? 0 : milliseconds / 1000;
}

function folded(html: string, isHidden: boolean): string {
  return isHidden ? `<details><summary>Output</summary>${html}</details>` : html;
}

/** Finds the pictures of a cell's prose: its attachments by their scheme, others in the notebook's folder. */
function pictures(cell: Cell, folder: string): PictureFinder {
  return (address) => {
    const path = decoded(address.replace(/[?#].*$/, ""));
    if (path.startsWith("attachment:")) {
      const [mime, data] = Object.entries(cell.attachments?.[path.slice("attachment:".length)] ?? {})[0] ?? [];
      return mime === undefined ? undefined : { mime, bytes: Buffer.from(String(data), "base64") };
    }
    const mime = pictureMime(path);
    if (mime === undefined || /^[a-z][a-z+.-]*:|^\/\//i.test(path)) return undefined;
    try {
      return { mime, bytes: readFileSync(join(folder, path)) };
    } catch {
      return undefined; // The prose then shows a link in its place, which names what is missing.
    }
  };
}

function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address; // A lone percent sign: the name was never encoded.
  }
}

/** Below this many headings a page is taken in at a glance. */
const headingsWorthListing = 4;

function contents(headings: readonly Heading[]): string {
  if (headings.length < headingsWorthListing) return "";
  // The one heading of the first level is the page's title; what lies deeper than two levels below it is detail.
  const titles = headings.filter(({ level }) => level === 1);
  const top = titles.length === 1 ? 2 : 1;
  const listed = headings.filter(({ level }) => level >= top && level <= top + 1);
  const items = listed.map(
    ({ level, id, text }) =>
      `<li class="depth-${level - top}"><a href="#${escapeHtml(encodeURI(id))}">${escapeHtml(text)}</a></li>`,
  );
  return `<nav class="contents" aria-label="Contents"><h2>Contents</h2><ol>${items.join("\n")}</ol></nav>`;
}

function banner({ place, ename, evalue }: Failure, notebook: Notebook): string {
  const failed = notebook.cells[place.index];
  const count = failed?.cell_type === "code" ? failed.execution_count : null;
  const name = `cell ${place.number} of ${place.count}`;
  const cell = count === null ? name : `<a href="#cell-${count}">${name}</a>`;
  return `<p class="banner" role="alert"><strong>This run stopped at ${cell}.</strong> ${escapeHtml(`${ename}: ${evalue}`)}</p>`;
}

function colophon(notebook: Notebook, { name, seconds }: PageOptions): string {
  const { display_name: kernel } = (notebook.metadata.kernelspec ?? {}) as { display_name?: string };
  const took = seconds === undefined ? "" : ` in ${seconds.toFixed(1)} s`;
  const by = kernel === undefined ? "" : ` by ${escapeHtml(kernel)}`;
  return `<footer>${escapeHtml(name)}${took === "" ? "" : `, executed${took}${by}`}</footer>`;
}
