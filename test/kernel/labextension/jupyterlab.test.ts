// The extension in a real JupyterLab: a notebook with stored outputs, not trusted, opened in Chromium without a network.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import * as assert from "uvu/assert";
import { curves, graph, memory } from "../../../lib/plot/index.ts";
import { sampleGraph, sampleHistory, sampleMemory } from "../../lib/plot/samples.ts";
import { chromiumArguments, findChromium, findPython } from "../../support/environment.ts";
import { writeFigureNotebook } from "../../support/figure-notebook.ts";
import { type JupyterServer, startJupyter } from "../../support/jupyter-server.ts";
import { suite } from "../../support/suite.ts";

const browserFound = findChromium();
const pythonFound = findPython("jupyterlab");
const missing = [browserFound, pythonFound].flatMap((found) => ("missing" in found ? [found.missing] : [])).join("; ");
const test = suite("figures in JupyterLab", missing !== "" && missing);

const folder = mkdtempSync(join(tmpdir(), "tessera-jupyterlab-"));
let browser: Browser;
let server: JupyterServer | undefined;
let address = "";

/** A notebook without outputs, of one cell. */
function writeLiveNotebook(name: string, source: readonly string[]): void {
  const cell = {
    id: "live",
    cell_type: "code",
    metadata: {},
    source: source.join("\n"),
    execution_count: null,
    outputs: [],
  };
  const metadata = { kernelspec: { name: "tessera", display_name: "TypeScript (Tessera)", language: "typescript" } };
  writeFileSync(
    join(folder, "notebooks", name),
    JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells: [cell] }),
  );
}

const training = [
  "const model = nn.sequential([nn.flatten(), nn.dense(8), nn.relu(), nn.dense(4)], { input: [8, 8], seed: 1 })",
  "simulate(lower(trainingGraph(model, nn.sgd({ rate: 0.1 }), { batch: 4, loss: nn.crossEntropy() }), devices.gc200))",
];

/** Two thousand vertices that read two hundred others each: more edges than a notebook stores. */
const manyEdges = [
  "const [width, fan] = [2000, 200]",
  "const section = { part: 'forward', start: 0, end: width } as const",
  "await plot.bigPicture({",
  "  kind: 'vertex-graph', title: 'many edges', vertexCount: 2 * width,",
  "  sections: [",
  "    { ...section, layer: 'one', codelet: 'Make' },",
  "    { ...section, layer: 'two', codelet: 'Read', start: width, end: 2 * width },",
  "  ],",
  "  edges: [{",
  "    firstVertex: 0,",
  "    starts: Uint32Array.from({ length: 2 * width + 1 }, (_, vertex) => Math.max(0, vertex - width) * fan),",
  "    producers: Uint32Array.from({ length: width * fan }, (_, edge) => (Math.floor(edge / fan) * 7 + edge % fan) % width),",
  "  }],",
  "}, { width: 600 })",
];

test.before(async () => {
  mkdirSync(join(folder, "notebooks"), { recursive: true });
  writeLiveNotebook("live.ipynb", training);
  writeLiveNotebook("edges.ipynb", manyEdges);
  await writeFigureNotebook(join(folder, "notebooks/figures.ipynb"), [
    memory(sampleMemory([784, ...new Array<number>(8).fill(64), 10], 64, "deep")),
    graph(sampleGraph([784, 128, 10], 64, "shallow")),
    curves({ shallow: [sampleHistory("shallow", 1, 0.017)], deep: [sampleHistory("deep", 1, 0.02)] }),
  ]);
  server = await startJupyter((pythonFound as { python: string }).python, "jupyterlab", join(folder, "notebooks"), "");
  address = server.url;
  browser = await chromium.launch({
    executablePath: (browserFound as { chromium: string }).chromium,
    args: [...chromiumArguments],
  });
});

test.after(async () => {
  await browser?.close();
  server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a notebook and hands its page on; the test fails on errors of ours and on requests to elsewhere. */
async function openPage(notebook: string, check: (page: Page) => Promise<void>): Promise<void> {
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
    await page.goto(`${address}lab/tree/${notebook}?reset`);
    await check(page);
    assert.equal(trouble, []);
  } finally {
    await page.close();
  }
}

/** Opens the notebook of stored figures, whose kernel does not exist. */
async function openNotebook(check: (page: Page) => Promise<void>): Promise<void> {
  await openPage("figures.ipynb", async (page) => {
    await page.locator(".tessera-figure").first().waitFor({ timeout: 60_000 });
    // JupyterLab asks for another kernel.
    const dialog = page.locator(".jp-Dialog .jp-mod-reject").first();
    await dialog.click({ timeout: 10_000 }).catch(() => undefined);
    await check(page);
  });
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

test("an operator graph answers to search, to clicks on layers, and to the pointer", async () => {
  const report = sampleGraph([784, 128, 10], 64);
  await openNotebook(async (page) => {
    const boxes = page.locator(".tessera-figure [data-box]");
    await boxes.first().waitFor();
    await page.getByRole("searchbox", { name: /Search operators/ }).fill("dense2 matmul");
    const expected = report.nodes.filter(({ layer, operator }) => layer === "dense2" && operator === "matmul").length;
    await page.getByText(`${expected} found`).waitFor();
    await boxes.nth(1).hover();
    // Every figure has a tooltip of its own.
    const tooltips = page.locator('.tessera-figure [role="tooltip"]');
    const tooltip = (await tooltips.filter({ hasText: /^matmul/ }).textContent())!;
    for (const part of ["float32[64,128]", "32 KiB", "12.8 MFLOP"]) assert.ok(tooltip.includes(part), tooltip);
    const row = page.locator(".tessera-figure [data-row]").filter({ hasText: /^dense2$/ });
    await row.locator("text").first().click();
    assert.is(await row.getAttribute("aria-expanded"), "false");
    assert.ok((await boxes.count()) < report.nodes.length);
    await page.getByRole("button", { name: "Open every layer" }).click();
    assert.is(await boxes.count(), report.nodes.length);
  });
});

/** Runs the one cell of a notebook when its kernel is ready. */
async function runCell(page: Page): Promise<void> {
  await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor({ timeout: 60_000 });
  await page.getByText("TypeScript (Tessera) | Idle").first().waitFor({ timeout: 60_000 });
  await page.locator(".jp-Notebook .jp-CodeCell .cm-content").first().click();
  await page.keyboard.press("Shift+Enter");
}

test("edges that a notebook has no room for come from the living kernel", async () => {
  await openPage("edges.ipynb", async (page) => {
    await runCell(page);
    const canvas = page.locator(".tessera-figure canvas").first();
    await canvas.waitFor({ timeout: 120_000 });
    // The caption counts what is in the view, until nothing is missing.
    const caption = page.locator(".tessera-figure").getByText(/400,000 edges from producer to consumer/);
    for (let attempt = 0; attempt < 600; attempt++) {
      if (!(await caption.textContent())!.includes("evenly chosen")) break;
      await page.waitForTimeout(100);
    }
    assert.not.match((await caption.textContent())!, /evenly chosen/);
    const frame = (await canvas.boundingBox())!;
    const tooltip = page.locator('.tessera-figure [role="tooltip"]');
    for (let place = 0; place < 4000; place++) {
      const [across, down] = [(place * 0.754877666) % 1, (place * 0.569840291) % 1];
      await page.mouse.move(frame.x + across * frame.width, frame.y + down * frame.height);
      const text = (await tooltip.count()) === 1 ? ((await tooltip.textContent()) ?? "") : "";
      if (!text.startsWith("Read")) continue;
      assert.match(text, /reads200 edgesread by0 vertices$/);
      return;
    }
    throw new Error("no vertex was under the pointer");
  });
});

test("a figure asks the living kernel for a finer drawing of what it is zoomed to", async () => {
  await openPage("live.ipynb", async (page) => {
    const card = page.locator(".tessera-figure svg[role=img]").first();
    await runCell(page);
    await card.waitFor({ timeout: 60_000 });
    const tooltip = page.locator('.tessera-figure [role="tooltip"]');
    /** How many cycles the piece of time under the pointer takes; the drawing may just be giving way to another. */
    const length = async (): Promise<number> => {
      for (let attempt = 0; attempt < 400; attempt++) {
        const box = await card.boundingBox();
        if (box !== null) {
          await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.4);
          const text = (await tooltip.count()) === 1 ? await tooltip.textContent() : null;
          const cycles = /cycles([\d,]+) to ([\d,]+)/.exec(text ?? "")?.slice(1);
          if (cycles !== undefined) {
            const [from, to] = cycles.map((digits) => Number(digits.replaceAll(",", "")));
            return to - from;
          }
        }
        await page.waitForTimeout(50);
      }
      throw new Error("no tooltip has told a piece of time");
    };
    const coarse = await length();
    await page.getByRole("button", { name: "Show fewer cycles" }).click();
    for (let attempt = 0; attempt < 200 && (await length()) >= coarse; attempt++) await page.waitForTimeout(50);
    assert.ok((await length()) < coarse, "pieces of time are shorter");
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
