// How soon figures answer to the reader in a real JupyterLab: from the moment when their output appears on the page to the
// one when their interactive form is drawn.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { bigPicture, curves, graph, memory } from "../../lib/plot/index.ts";
import { sampleGraph, sampleHistory, sampleMemory } from "../lib/plot/samples.ts";
import { sampleVertices } from "../lib/plot/vertex-samples.ts";
import { chromiumArguments, findChromium, findPython } from "../support/environment.ts";
import { writeFigureNotebook } from "../support/figure-notebook.ts";
import { startJupyter } from "../support/jupyter-server.ts";
import { type Measured, median } from "./benchmark.ts";

/** Pages that are opened, each with all figures. */
const turns = 3;

/** Runs in the page before any script of its own: each figure notes the seconds until it was live. */
function watchFigures(): void {
  const seen = new Set<Element>();
  const isLive = (root: ParentNode): boolean =>
    root.querySelector("svg[role=img], canvas[role=img], [data-box], .js-plotly-plot .legendtext") !== null ||
    [...root.querySelectorAll("*")].some(({ shadowRoot }) => shadowRoot !== null && isLive(shadowRoot));
  new MutationObserver(() => {
    for (const figure of document.querySelectorAll<HTMLElement>(".tessera-figure")) {
      if (seen.has(figure)) continue;
      seen.add(figure);
      const appeared = performance.now();
      const look = (): void => {
        if (isLive(figure)) figure.dataset.liveSeconds = String((performance.now() - appeared) / 1000);
        else requestAnimationFrame(look);
      };
      look();
    }
  }).observe(document, { subtree: true, childList: true });
}

/** Opens the notebook in a fresh page: nothing is cached. */
async function openOnce(browser: Browser, address: string, count: number): Promise<readonly number[]> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 4000 } });
  try {
    await page.addInitScript(watchFigures);
    await page.goto(`${address}lab/tree/figures.ipynb?reset`);
    const live = page.locator(".tessera-figure[data-live-seconds]");
    await live.nth(count - 1).waitFor({ timeout: 120_000 });
    return await live.evaluateAll((all) => all.map((figure) => Number((figure as HTMLElement).dataset.liveSeconds)));
  } finally {
    await page.close();
  }
}

/** Seconds from appearing to being live, the median of three pages, for a figure of each sort; offline. */
export async function measure(): Promise<Measured> {
  const browserFound = findChromium();
  const pythonFound = findPython("jupyterlab");
  if ("missing" in browserFound) throw new Error(`picture-live: needs Chromium, got none (${browserFound.missing})`);
  if ("missing" in pythonFound) throw new Error(`picture-live: needs JupyterLab, got none (${pythonFound.missing})`);
  const folder = mkdtempSync(join(tmpdir(), "tessera-picture-live-"));
  mkdirSync(join(folder, "notebooks"), { recursive: true });
  const figures = {
    memory: memory(sampleMemory([784, ...new Array<number>(8).fill(64), 10], 64, "deep")),
    operatorGraph: graph(sampleGraph([784, ...new Array<number>(1120).fill(64), 10], 64, "ten thousand operators")),
    chart: curves({ one: [sampleHistory("one", 1, 0.017)], two: [sampleHistory("two", 1, 0.02)] }),
    vertexGraph: await bigPicture(sampleVertices(10, 1000, 10), { width: 600 }),
  };
  const names = Object.keys(figures);
  await writeFigureNotebook(join(folder, "notebooks/figures.ipynb"), Object.values(figures));
  const server = await startJupyter(pythonFound.python, "jupyterlab", join(folder, "notebooks"), "");
  const browser = await chromium.launch({ executablePath: browserFound.chromium, args: [...chromiumArguments] });
  try {
    const runs: (readonly number[])[] = [];
    for (let turn = 0; turn < turns; turn++) runs.push(await openOnce(browser, server.url, names.length));
    const measured = names.map((name, place) => [`${name}LiveSeconds`, median(runs.map((run) => run[place]))]);
    return { figures: Object.fromEntries(measured), peers: {} };
  } finally {
    await browser.close();
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
