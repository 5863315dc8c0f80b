// Makes the pictures of kernel/course/README.md from a round of grading: `node dist/test/kernel/course/pictures.js`.
// Needs Chromium, a sandbox, and JupyterLab in TESSERA_PYTHON.
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { chromiumArguments, findChromium, findPython, projectRoot } from "../../support/environment.ts";
import { startJupyter } from "../../support/jupyter-server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { tessera } from "../headless/run-command.ts";
import { goodSubmission, withSource, writeCourse } from "./example-course.ts";

const pictures = join(projectRoot, "kernel/course/pictures");

/** The largest picture that the page may carry. */
const mostBytes = 100_000;

async function main(): Promise<void> {
  const [browserFound, pythonFound] = [findChromium(), findPython("jupyterlab")];
  if ("missing" in browserFound) throw new Error(`pictures: ${browserFound.missing}`);
  if ("missing" in pythonFound) throw new Error(`pictures: ${pythonFound.missing}`);
  const root = temporaryFolder();
  const commands = await round(root);
  mkdirSync(pictures, { recursive: true });
  const browser = await chromium.launch({ executablePath: browserFound.chromium, args: [...chromiumArguments] });
  try {
    await photographTerminal(browser, commands);
    await photographFeedback(browser, join(root, "feedback/ben/ps1/problems.html"));
    await photographRelease(browser, pythonFound.python, join(root, "release"));
  } finally {
    await browser.close();
  }
  for (const name of ["grading", "feedback", "release"]) {
    const { length } = await readFile(join(pictures, `${name}.png`));
    if (length > mostBytes)
      throw new Error(`pictures: ${name}.png must have at most ${mostBytes} bytes, got ${length}`);
    console.log(`${name}.png: ${length} bytes`);
  }
}

/** Grades what four students handed in; what each command wrote. */
async function round(root: string): Promise<readonly string[]> {
  const ben = withSource(
    withSource(
      goodSubmission(),
      "mean",
      "function mean(xs: readonly number[]): number {\n  let sum = 0;\n  for (const x of xs) sum += x;\n  return sum;\n}",
    ),
    "counter",
    "class Counter {\n  #count = 0;\n  increment(by = 1): number {\n    return ++this.#count;\n  }\n}",
  );
  const carl = withSource(goodSubmission(), "later", "async function later(value: number) { for (;;) await null }");
  const dora = withSource(goodSubmission(), "test-mean", "2");
  writeCourse(root, { anna: goodSubmission(), ben, carl, dora });
  const said: string[] = [];
  for (const line of [
    "assign ps1",
    "release ps1",
    "autograde ps1 --jobs 2 --cell-timeout 5",
    "feedback ps1",
    "export ps1",
  ]) {
    const { code, stdout, stderr } = await tessera(line.split(" "), { cwd: root });
    if (code !== 0) throw new Error(`pictures: tessera ${line} must work, got exit code ${code}: ${stderr}`);
    // The places of files say nothing; those that are exported are many.
    if (!line.startsWith("feedback") && !line.startsWith("export"))
      said.push(`$ tessera ${line}\n${stdout.replaceAll(`${root}/`, "")}`);
  }
  return said;
}

async function photographTerminal(browser: Browser, commands: readonly string[]): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 900, height: 100 } });
  await page.setContent(
    `<pre style="margin: 0; padding: 16px 20px; background: #1d2430; color: #e6e9ee; font: 13px/1.5 monospace; white-space: pre-wrap"></pre>`,
  );
  await page.locator("pre").evaluate((element, text) => {
    element.textContent = text;
  }, commands.join("\n").trimEnd());
  await page.locator("pre").screenshot({ path: join(pictures, "grading.png") });
  await page.close();
}

async function photographFeedback(browser: Browser, path: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 900, height: 1000 } });
  await page.goto(pathToFileURL(path).href);
  await page.screenshot({ path: join(pictures, "feedback.png") });
  await page.close();
}

async function photographRelease(browser: Browser, python: string, root: string): Promise<void> {
  const server = await startJupyter(python, "jupyterlab", root, "");
  try {
    const page = await browser.newPage({ viewport: { width: 1000, height: 720 } });
    await page.goto(`${server.url}lab/tree/ps1/problems.ipynb?reset`);
    await page.getByText("not implemented yet").first().waitFor({ timeout: 90_000 });
    await page.locator(".jp-Toolbar-kernelName", { hasText: "TypeScript (Tessera)" }).waitFor({ timeout: 60_000 });
    // JupyterLab asks once whether it may show its news.
    await page
      .getByRole("button", { name: "No", exact: true })
      .click({ timeout: 5000 })
      .catch(() => undefined);
    await page.locator(".Toastify__toast").waitFor({ state: "detached", timeout: 5000 });
    await page.screenshot({ path: join(pictures, "release.png") });
    await page.close();
  } finally {
    server.stop();
  }
}

await main();
process.exit();
