// The extension in a real JupyterLab: a notebook with stored outputs, not trusted, opened in Chromium without a network.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import * as assert from "uvu/assert";
import { curves, type Figure, graph, memory } from "../../../lib/plot/index.ts";
import { sampleGraph, sampleHistory, sampleMemory } from "../../lib/plot/samples.ts";
import { chromiumArguments, findChromium, findPython, projectRoot } from "../../support/environment.ts";
import { type JupyterServer, startJupyter } from "../../support/jupyter-lab.ts";
import { suite } from "../../support/suite.ts";

const browserFound = findChromium();
const pythonFound = findPython("jupyterlab");
const missing = [browserFound, pythonFound].flatMap((found) => ("missing" in found ? [found.missing] : [])).join("; ");
const test = suite("figures in JupyterLab", missing !== "" && missing);

const folder = mkdtempSync(join(tmpdir(), "tessera-jupyterlab-"));
let browser: Browser;
let server: JupyterServer | undefined;
let address = "";

async function writeNotebook(figures: readonly Figure[]): Promise<void> {
  const cells = await Promise.all(
    figures.map(async (figure, index) => {
      const { "image/png": _, ...data } = await figure.bundle();
      const outputs = [{ output_type: "display_data", metadata: {}, data }];
      return {
        id: `c${index}`,
        cell_type: "code",
        metadata: {},
        source: "figure",
        execution_count: index + 1,
        outputs,
      };
    }),
  );
  const metadata = { kernelspec: { name: "none", display_name: "none", language: "typescript" } };
  writeFileSync(
    join(folder, "notebooks/figures.ipynb"),
    JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }),
  );
}

test.before(async () => {
  mkdirSync(join(folder, "notebooks"), { recursive: true });
  cpSync(join(projectRoot, "dist/labextension"), join(folder, "data/labextensions/tessera"), { recursive: true });
  await writeNotebook([
    memory(sampleMemory([784, ...new Array<number>(8).fill(64), 10], 64, "deep")),
    graph(sampleGraph([784, 128, 10], 64, "shallow")),
    curves({ shallow: [sampleHistory("shallow", 1, 0.017)], deep: [sampleHistory("deep", 1, 0.02)] }),
  ]);
  server = await startJupyter((pythonFound as { python: string }).python, folder);
  address = server.address;
  browser = await chromium.launch({
    executablePath: (browserFound as { chromium: string }).chromium,
    args: [...chromiumArguments],
  });
});

test.after(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the notebook and hands its page on; the test fails on errors of ours and on requests to elsewhere. */
async function openNotebook(check: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 2600 } });
  try {
    const trouble: string[] = [];
    page.on("pageerror", (error) => trouble.push(error.message));
    page.on(
      "console",
      (message) => message.type() === "error" && /tessera/i.test(message.text()) && trouble.push(message.text()),
    );
    page.on("request", (request) => {
      const url = request.url();
      if (/^https?:/.test(url) && !url.startsWith(address)) trouble.push(url);
    });
    await page.goto(`${address}/lab/tree/figures.ipynb?reset`);
    await page.locator(".tessera-figure").first().waitFor({ timeout: 60_000 });
    // The notebook's kernel does not exist; JupyterLab asks for another.
    const dialog = page.locator(".jp-Dialog .jp-mod-reject").first();
    await dialog.click({ timeout: 10_000 }).catch(() => undefined);
    await check(page);
    assert.equal(trouble, []);
  } finally {
    await page.close();
  }
}

test("an untrusted notebook shows memory, graph and chart in their interactive forms", async () => {
  await openNotebook(async (page) => {
    await page.locator(".tessera-figure").nth(2).waitFor();
    await page.locator(".tessera-figure svg").getByText("At the peak").first().waitFor();
    await page.getByRole("searchbox", { name: /Search operators/ }).waitFor();
    await page.locator(".tessera-figure .js-plotly-plot .legendtext").first().waitFor();
    assert.is(await page.locator(".tessera-figure [data-box]").count(), sampleGraph([784, 128, 10], 64).nodes.length);
  });
});

test("figures follow JupyterLab's theme", async () => {
  await openNotebook(async (page) => {
    const card = page.locator(".tessera-figure svg[role=img] > rect").first();
    await card.waitFor();
    assert.is(await card.getAttribute("fill"), "#fdfdfc");
    await page.evaluate(async () => {
      const token = /_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? "";
      await fetch("/lab/api/settings/@jupyterlab/apputils-extension:themes", {
        method: "PUT",
        headers: { "content-type": "application/json", "X-XSRFToken": token },
        body: JSON.stringify({ raw: '{"theme":"JupyterLab Dark"}' }),
      });
    });
  });
  await openNotebook(async (page) => {
    const card = page.locator('.tessera-figure svg[role=img] > rect[fill="#15181e"]').first();
    await card.waitFor({ timeout: 20_000 });
  });
});

test.run();
