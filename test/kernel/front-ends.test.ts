// The kernel under JupyterLab and Notebook as a reader meets it: a real server, a real browser, no mouse of ours elsewhere.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import * as assert from "uvu/assert";
import { install } from "../../kernel/install.ts";
import { chromiumArguments, findChromium, findPython } from "../support/environment.ts";
import { type JupyterServer, startJupyter } from "../support/jupyter-lab.ts";
import { suite } from "../support/suite.ts";

const browserFound = findChromium();
const pythonFound = findPython("jupyterlab", "notebook", "jupyterlab_widgets");
const missing = [browserFound, pythonFound].flatMap((found) => ("missing" in found ? [found.missing] : [])).join("; ");
const test = suite("the kernel in front ends", missing !== "" && missing);

const folder = mkdtempSync(join(tmpdir(), "tessera-front-ends-"));
let browser: Browser;
let server: JupyterServer | undefined;

/** A slider of ipywidgets, opened by the kernel as Python's widgets are. */
const slider = `
const openModel = (name: string, state: object, module = "@jupyter-widgets/controls", version = "2.0.0") =>
  comms.open("jupyter.widget", { state: { _model_module: module, _model_module_version: version, _model_name: name + "Model", ...state }, buffer_paths: [] } as any, { metadata: { version: "2.1.0" } })
const layout = openModel("Layout", {}, "@jupyter-widgets/base")
const style = openModel("SliderStyle", {})
const slider = openModel("IntSlider", { _view_module: "@jupyter-widgets/controls", _view_module_version: "2.0.0", _view_name: "IntSliderView", value: 5, min: 0, max: 100000, layout: "IPY_MODEL_" + layout.id, style: "IPY_MODEL_" + style.id })
let moved = 0
slider.onMessage = ({ data }: any) => { if (data.method === "update") moved = data.state.value }
display.raw("application/vnd.jupyter.widget-view+json", { version_major: 2, version_minor: 0, model_id: slider.id })`;

/** Trains until the reader has moved the slider, which meanwhile shows the number of epochs. */
const training = `
const program = compile(nn.sequential([nn.flatten(), nn.dense(32), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 }), { loss: nn.crossEntropy(), optimizer: nn.sgd({ rate: 0.1 }), batch: 32 })
const { train } = datasets.syntheticDigits({ train: 256 })
let epochs = 0
while (moved === 0) { await program.fit(train, { epochs: 20 }); epochs += 20; slider.send({ method: "update", state: { value: epochs }, buffer_paths: [] }) }
console.log("moved while training:", moved !== 0)`;

const notebooks: Readonly<Record<string, readonly string[]>> = {
  error: ["1 + 1", "throw new RangeError('too far')", "'never'"],
  training: [slider, training, "program.memory"],
  progress: [
    "for (const n of progress([...Array(40).keys()], { title: 'counting' })) { const until = Date.now() + 100; while (Date.now() < until); }",
  ],
};

test.before(async () => {
  mkdirSync(join(folder, "notebooks"), { recursive: true });
  await install(join(folder, "data"));
  for (const [name, sources] of Object.entries(notebooks)) {
    const cells = sources.map((source, index) => ({
      cell_type: "code",
      id: `cell-${index}`,
      source,
      metadata: {},
      outputs: [],
      execution_count: null,
    }));
    const metadata = { kernelspec: { name: "tessera", display_name: "TypeScript (Tessera)", language: "typescript" } };
    for (const view of ["lab", "notebook"]) {
      const file = join(folder, "notebooks", `${name}-${view}.ipynb`);
      writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }));
    }
  }
  server = await startJupyter((pythonFound as { python: string }).python, folder);
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

type View = "lab" | "notebook";

/** Opens a notebook in one of the two, waits for its kernel and runs all cells. */
async function runAll(view: View, name: string, look: (cells: Locator, page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
  page.setDefaultTimeout(30_000);
  const path = view === "lab" ? "lab/tree" : "notebooks";
  try {
    await page.goto(`${server?.address}/${path}/${name}-${view}.ipynb${view === "lab" ? "?reset" : ""}`);
    const cells = page.locator(".jp-Notebook .jp-CodeCell");
    await cells.first().waitFor({ timeout: 60_000 });
    await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first().waitFor({ timeout: 60_000 });
    await page.locator(".lm-MenuBar-itemLabel, .lm-MenuBar-item").getByText("Run", { exact: true }).first().click();
    await page.locator(".lm-Menu-itemLabel").getByText("Run All Cells", { exact: true }).first().click();
    await look(cells, page);
  } finally {
    await page.close();
  }
}

const prompt = (cell: Locator): Locator => cell.locator(".jp-InputPrompt").first();
const output = (cell: Locator): Locator => cell.locator(".jp-OutputArea-output");

for (const view of ["lab", "notebook"] as const) {
  const named = view === "lab" ? "JupyterLab" : "Notebook";

  test(`${named} stops at the cell that fails, and shows what was thrown and where`, async () => {
    await runAll(view, "error", async (cells) => {
      await output(cells.nth(1)).getByText("RangeError: too far").first().waitFor();
      assert.match((await output(cells.nth(1)).first().textContent()) ?? "", /cell2\.ts:1:7/);
      assert.match((await output(cells.nth(0)).first().textContent()) ?? "", /^2\s*$/);
      await prompt(cells.nth(1)).getByText("[2]:").waitFor();
      // Dropped: neither running nor run.
      await prompt(cells.nth(2))
        .getByText(/^\[\s\]:/)
        .waitFor();
      assert.is(await output(cells.nth(2)).count(), 0);
    });
  });

  test(`${named} moves one progress bar in its place while a loop runs that never rests`, async () => {
    await runAll(view, "progress", async (cells) => {
      const bar = cells.first().getByRole("progressbar");
      const seen = new Set<number>();
      await bar.first().waitFor();
      while (!(await prompt(cells.first()).textContent())?.includes("[1]")) {
        assert.is(await bar.count(), 1);
        seen.add(Number(await bar.getAttribute("aria-valuenow")));
      }
      assert.ok(seen.size > 5, `the bar must be seen at more than five places, got ${[...seen]}`);
      await cells.first().getByText("40/40").waitFor();
    });
  });

  test(`${named} shows a slider that training moves and that reaches training, and then a figure`, async () => {
    await runAll(view, "training", async (cells, page) => {
      const readout = cells.nth(0).locator(".widget-readout");
      await readout.getByText(/^[1-9][,\d]*0$/).waitFor();
      assert.match((await prompt(cells.nth(1)).textContent()) ?? "", /\[\*\]/);
      assert.is(await output(cells.nth(1)).getByText("moved while training").count(), 0);
      await cells.nth(0).locator(".noUi-handle").focus();
      await page.keyboard.press("ArrowRight");
      await output(cells.nth(1)).getByText("moved while training: true").waitFor();
      await cells.nth(2).locator(".tessera-figure svg").getByText("At the peak").first().waitFor();
    });
  });
}

test.run();
