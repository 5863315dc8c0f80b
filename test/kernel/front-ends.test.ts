// The kernel under JupyterLab and Notebook as a reader meets it: a real server, a real browser, no mouse of ours elsewhere.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Locator } from "playwright-core";
import * as assert from "uvu/assert";
import { install } from "../../kernel/install.ts";
import { chromiumArguments, findChromium, findPython } from "../support/environment.ts";
import { type JupyterServer, startJupyter } from "../support/jupyter-lab.ts";
import { suite } from "../support/suite.ts";

const browserFound = findChromium();
const pythonFound = findPython("jupyterlab", "notebook");
const missing = [browserFound, pythonFound].flatMap((found) => ("missing" in found ? [found.missing] : [])).join("; ");
const test = suite("the kernel in front ends", missing !== "" && missing);

const folder = mkdtempSync(join(tmpdir(), "tessera-front-ends-"));
let browser: Browser;
let server: JupyterServer | undefined;

const notebooks: Readonly<Record<string, readonly string[]>> = {
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
async function runAll(view: View, name: string, look: (cells: Locator) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
  page.setDefaultTimeout(60_000);
  const path = view === "lab" ? "lab/tree" : "notebooks";
  try {
    await page.goto(`${server?.address}/${path}/${name}-${view}.ipynb${view === "lab" ? "?reset" : ""}`);
    const cells = page.locator(".jp-Notebook .jp-CodeCell");
    await cells.first().waitFor({ timeout: 60_000 });
    await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first().waitFor({ timeout: 60_000 });
    await page.locator(".lm-MenuBar-itemLabel, .lm-MenuBar-item").getByText("Run", { exact: true }).first().click();
    await page.locator(".lm-Menu-itemLabel").getByText("Run All Cells", { exact: true }).first().click();
    await look(cells);
  } finally {
    await page.close();
  }
}

const prompt = (cell: Locator): Locator => cell.locator(".jp-InputPrompt").first();

for (const view of ["lab", "notebook"] as const) {
  const named = view === "lab" ? "JupyterLab" : "Notebook";

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
}

test.run();
