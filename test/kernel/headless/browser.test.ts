import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import * as assert from "uvu/assert";
import { readFigureScripts, renderPage } from "../../../kernel/headless/index.ts";
import { compile, nn, plot } from "../../../lib/index.ts";
import { chromiumArguments, findChromium } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { everyForm, placeholderFigure } from "./page-notebook.ts";

const found = findChromium();
const scripts = readFigureScripts();
const missing = "missing" in found ? found.missing : scripts === undefined && "dist/assets is not built";
const test = suite("a page in a browser", missing);

let browser: Browser;
const address = join(mkdtempSync(join(tmpdir(), "tessera-")), "page.html");

/** Every form of output, with a figure that the figures' own script can draw. */
async function notebookWithFigure(): Promise<ReturnType<typeof everyForm>> {
  const model = nn.sequential([nn.dense(3), nn.relu(), nn.dense(2)], { input: [4] });
  const bundle = await plot.graph(compile(model, { batch: 2, engine: "reference" }).graph).bundle();
  const mime = "application/vnd.tessera.v1+json";
  const text = JSON.stringify(everyForm());
  const before = JSON.stringify({ [mime]: placeholderFigure }).slice(1, -1);
  assert.ok(text.includes(before), "the notebook has the figure that is replaced");
  return JSON.parse(text.replace(before, `"${mime}":${JSON.stringify(bundle[mime])}`));
}

test.before(async () => {
  writeFileSync(
    address,
    renderPage(await notebookWithFigure(), { name: "every-form.ipynb", folder: tmpdir(), scripts }),
  );
  const executablePath = "chromium" in found ? found.chromium : "";
  browser = await chromium.launch({ executablePath, args: [...chromiumArguments] });
});
test.after(() => browser.close());

interface Opened {
  readonly page: Page;
  /** Addresses that the page asked for, besides its own. */
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
}

async function open(options: Parameters<Browser["newPage"]>[0] = {}): Promise<Opened> {
  const page = await browser.newPage(options);
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  const own = pathToFileURL(address).href;
  await page.goto(own);
  return {
    page,
    complaints,
    get requests() {
      return requests.filter((url) => url !== own && !url.startsWith("data:") && !url.startsWith("blob:"));
    },
  };
}

test("asks nothing of anybody, and complains of nothing", async () => {
  const { page, requests, complaints } = await open();
  await page.locator(".figure").scrollIntoViewIfNeeded();
  await page.locator(".figure.is-live").waitFor();
  assert.equal(requests, []);
  assert.equal(complaints, []);
  await page.close();
});

test("figures come to life in place of their picture, and print as the picture", async () => {
  const { page } = await open();
  await page.locator(".figure").scrollIntoViewIfNeeded();
  await page.locator(".figure.is-live .live").waitFor();
  assert.is(await page.locator(".figure .still").isVisible(), false);
  await page.emulateMedia({ media: "print" });
  assert.is(await page.locator(".figure .still").isVisible(), true);
  assert.is(await page.locator(".figure .live").isVisible(), false);
  await page.close();
});

test("without scripts, the page shows the same, and figures as pictures", async () => {
  const { page } = await open({ javaScriptEnabled: false });
  assert.is(await page.locator(".figure .still img").isVisible(), true);
  assert.is(await page.locator("#cell-1 .stdout").isVisible(), true);
  await page.close();
});

test("fits a telephone and a wide screen, without scrolling sideways", async () => {
  for (const width of [360, 768, 1280, 1920]) {
    const { page } = await open({ viewport: { width, height: 900 } });
    // Run as text: it belongs to the page, not to this program.
    const overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    assert.is(overflow, 0, `${width} pixels`);
    await page.close();
  }
});

test("text stands out from what is behind it, on light and on dark (WCAG AA, 4.5 : 1)", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await open({ colorScheme });
    const pale = (await page.evaluate(paleTexts)) as string[];
    assert.equal(pale, [], colorScheme);
    await page.close();
  }
});

// Finds texts whose colour is too close to the background they stand on. Runs in the page.
const paleTexts = `(() => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const [r, g, b, alpha = 1] = channels(getComputedStyle(node).backgroundColor);
      if (alpha > 0.5) return [r, g, b];
    }
    return [255, 255, 255];
  };
  // Colours that the author chose, and pictures, are not the page's; neither is what only a screen reader sees.
  const foreign = "[style*=color], [class*=ansi-bg], .katex-mathml, figure, img, script";
  const pale = [];
  for (const element of document.querySelectorAll("main *, nav *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("").trim();
    if (text === "" || element.closest(foreign)) continue;
    const style = getComputedStyle(element);
    const opacity = Number(style.opacity);
    const back = behind(element);
    const front = channels(style.color).slice(0, 3).map((c, i) => c * opacity + back[i] * (1 - opacity));
    const [light, dark] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) pale.push(element.className + " " + text.slice(0, 20) + " " + contrast.toFixed(2));
  }
  return pale;
})()`;

test.run();
