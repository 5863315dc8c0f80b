import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Json } from "../../protocol/index.ts";
import { escapeHtml } from "./html.ts";

/** The forms of a value that a script of the page turns into something to touch. */
export const interactiveMimes: readonly string[] = [
  "application/vnd.tessera.v1+json",
  "application/vnd.plotly.v1+json",
];

/** The scripts that draw interactive figures, in the order in which they are loaded. */
export interface FigureScripts {
  /** For `application/vnd.plotly.v1+json` only. */
  readonly plotly: string;
  /** Sets `window.TesseraFigures.render(element, mime, data)`, which gives `{ ready }`, a promise. */
  readonly figures: string;
}

/**
 * Reads the figure scripts that the build leaves in `dist/assets`.
 *
 * @returns nothing when they have not been built
 */
export function readFigureScripts(folder = join(import.meta.dirname, "../../../assets")): FigureScripts | undefined {
  try {
    return {
      plotly: readFileSync(join(folder, "plotly-cartesian.min.js"), "utf8"),
      figures: readFileSync(join(folder, "tessera-figures.js"), "utf8"),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * A figure as its picture, with the data from which a script makes it interactive. A printed page, and one whose scripts
 * do not run, shows the picture.
 *
 * @param still HTML of the picture
 * @param name said of the figure where it cannot be seen
 */
export function figure(mime: string, data: Json, still: string, name: string): string {
  return [
    `<figure class="figure" data-mime="${mime}" aria-label="${escapeHtml(name)}">`,
    `<div class="still">${still}</div>`,
    packed(JSON.stringify(data), ' class="figure-data"'),
    "</figure>",
  ].join("");
}

/** Whether a page, or its body, holds a figure that a script could make interactive. */
export function hasFigures(html: string): boolean {
  return interactiveMimes.some((mime) => isUsed(mime, html));
}

function isUsed(mime: string, html: string): boolean {
  return html.includes(`data-mime="${mime}"`);
}

/** The scripts that the figures in `body` need, each once and packed, and the one that brings the figures to life. */
export function figureScripts(body: string, scripts: FigureScripts | undefined): string {
  if (!scripts || !hasFigures(body)) return "";
  return [
    isUsed("application/vnd.plotly.v1+json", body) ? packed(scripts.plotly, ' class="figure-script"') : "",
    packed(scripts.figures, ' class="figure-script"'),
    `<script>${enliven}</script>`,
  ].join("\n");
}

/** Text in a form that the browser does not run: compressed, which makes large data and scripts smaller by half. */
function packed(text: string, attributes: string): string {
  return `<script type="application/gzip+base64"${attributes}>${gzipSync(text, { level: 9 }).toString("base64")}</script>`;
}

// Runs in the page. Each figure comes to life shortly before it is scrolled into view; if that fails, its picture stays.
const enliven = `
(() => {
  const unpack = (element) => {
    const bytes = Uint8Array.from(atob(element.textContent), (character) => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  let loading;
  const load = () => (loading ??= (async () => {
    for (const packed of document.querySelectorAll(".figure-script")) {
      const script = document.createElement("script");
      script.textContent = await unpack(packed);
      document.head.append(script);
    }
  })());
  const enliven = async (figure) => {
    const live = document.createElement("div");
    live.className = "live";
    try {
      const data = JSON.parse(await unpack(figure.querySelector(".figure-data")));
      await load();
      figure.append(live);
      await window.TesseraFigures.render(live, figure.dataset.mime, data);
      figure.classList.add("is-live");
    } catch (error) {
      live.remove();
      console.error(error);
    }
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      enliven(target);
    }
  }, { rootMargin: "400px" });
  for (const figure of document.querySelectorAll(".figure")) watcher.observe(figure);
})();
`;
