// The interactive forms in a real browser, on pages written by figure.save, with the network blocked.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import * as assert from "uvu/assert";
import { BlockEngine, compile, devices, lower, nn } from "../../../lib/index.ts";
import { layoutGraph } from "../../../lib/plot/graph/fold-layout.ts";
import { buildHierarchy, chooseOpen } from "../../../lib/plot/graph/hierarchy.ts";
import {
  bigPicture,
  compareMemory,
  curves,
  network as drawNetwork,
  execution,
  type Figure,
  graph,
  images,
  line,
  memory,
  programTree,
} from "../../../lib/plot/index.ts";
import { formatBytes } from "../../../lib/plot/look/format.ts";
import { executionLayout } from "../../../lib/plot/machine/execution-picture.ts";
import { memoryLayout } from "../../../lib/plot/memory/memory-picture.ts";
import type { StoredVertices } from "../../../lib/plot/vertices/stored-vertices.ts";
import { chromiumArguments, findChromium } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { sampleGraph, sampleHistory, sampleMemory } from "./samples.ts";
import { sampleVertices } from "./vertex-samples.ts";

const found = findChromium();
const test = suite("interactive figures in Chromium", "missing" in found && found.missing);

const deep = sampleMemory([784, ...new Array<number>(8).fill(64), 10], 64, "deep");
const network = sampleGraph([784, ...new Array<number>(8).fill(64), 10], 64, "deep");

let browser: Browser;
let folder: string;
test.before(async () => {
  browser = await chromium.launch({
    executablePath: (found as { chromium: string }).chromium,
    args: [...chromiumArguments],
  });
  folder = mkdtempSync(join(tmpdir(), "tessera-interactive-"));
});
test.after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a figure's own page; the test fails on any console error, exception or request to anywhere. */
async function show(
  figure: Figure,
  check: (page: Page) => Promise<void>,
  scheme: "light" | "dark" = "light",
): Promise<void> {
  const file = join(folder, "figure.html");
  await figure.save(file);
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 1140, height: 900 } });
  try {
    const page = await context.newPage();
    const trouble: string[] = [];
    page.on("console", (message) => message.type() === "error" && trouble.push(message.text()));
    page.on("pageerror", (error) => trouble.push(error.message));
    page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || trouble.push(request.url()));
    await page.goto(`file://${file}`);
    await page.waitForSelector("#still", { state: "detached", timeout: 20_000 });
    await check(page);
    assert.equal(trouble, []);
  } finally {
    await context.close();
  }
}

/** Where a point of the drawing stands on the page, from its place in the card's own coordinates. */
async function pointAt(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
  const svg = page.locator("svg").first();
  const box = (await svg.boundingBox())!;
  const width = Number(await svg.getAttribute("width"));
  return { x: box.x + (x * box.width) / width, y: box.y + (y * box.width) / width };
}

test("a step under the pointer tells its bytes, and the peak comes back when the pointer leaves", async () => {
  await show(memory(deep), async (page) => {
    const svg = page.locator("svg");
    assert.match((await svg.textContent())!, /At the peak/);
    // The margins of the card and its heading of three lines, then the plot's own place.
    const step = 12;
    const x = 24 + memoryLayout.map.x + ((step + 0.5) * memoryLayout.map.width) / deep.steps.length;
    const point = await pointAt(page, x, 250);
    await page.mouse.move(point.x, point.y);
    const live = Object.values(deep.live).reduce((sum, bytes) => sum + bytes[step], 0);
    const text = (await svg.textContent())!;
    assert.ok(text.includes(`${formatBytes(live)} · step ${step}, backward of`), text.slice(0, 300));
    assert.ok(text.includes(`Step ${step}: ${deep.steps[step].name}`));
    await page.mouse.move(5, 5);
    assert.match((await svg.textContent())!, /At the peak/);
  });
});

test("a buffer under the pointer tells its name, bytes and life", async () => {
  await show(memory(deep), async (page) => {
    const largest = deep.buffers.find(({ name }) => name === "dense1.weight")!;
    const map = { top: 24 + 22 + 36 + 14 + memoryLayout.map.y, height: memoryLayout.map.height };
    const y = map.top + map.height * (1 - (largest.offset + largest.bytes / 2) / deep.arenaBytes);
    const point = await pointAt(page, 24 + 64 + 200, y);
    await page.mouse.move(point.x, point.y);
    const tooltip = (await page.locator('[role="tooltip"]').textContent())!;
    assert.match(tooltip, /^dense1\.weight/);
    assert.ok(tooltip.includes("200,704 (196 KiB)"), tooltip);
    assert.ok(tooltip.includes(`${deep.steps.length} steps: 0 to ${deep.steps.length - 1}`), tooltip);
  });
});

test("arrow keys move the cursor from the peak, and escape lets it go", async () => {
  await show(memory(deep), async (page) => {
    const svg = page.locator("svg");
    await svg.focus();
    await page.keyboard.press("ArrowLeft");
    assert.ok((await svg.textContent())!.includes(`Step ${deep.peak.step - 1}: `));
    await page.keyboard.press("Escape");
    assert.match((await svg.textContent())!, /At the peak/);
  });
});

test("a comparison tells what a step of any of its members consists of", async () => {
  const small = sampleMemory([784, 128, 10], 1);
  await show(compareMemory({ small, deep }), async (page) => {
    const box = (await page.locator("svg").boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.55, box.y + box.height * 0.7);
    const tooltip = (await page.locator('[role="tooltip"]').textContent())!;
    assert.match(tooltip, /^step \d+, .*small.*deep.*weights[\d.]+ [KM]iB → [\d.]+ [KM]iB/);
    // A pale and a dark line in each panel.
    assert.is(await page.locator("[data-part=cursor] line").count(), 4);
  });
});

test("one cursor runs through memory and operators, led by either", async () => {
  const model = nn.sequential([nn.flatten(), nn.dense(16), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 });
  const program = compile(model, { optimizer: nn.sgd({ rate: 0.1 }), batch: 8 });
  await show(memory(program.memory, { graph: program.graph }), async (page) => {
    const svg = page.locator("svg[role=img]").first();
    const box = (await svg.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.4, box.y + 250);
    const marked = page.locator('[data-box] > rect[style*="stroke-width: 3"]');
    assert.ok((await marked.count()) > 0, "the operators of the step are marked");
    await page.mouse.move(5, 5);
    assert.is(await marked.count(), 0);
    await page.locator("[data-box]").nth(2).hover();
    const { layer } = program.graph.nodes[2];
    const step = program.memory.steps.findIndex(({ operations }) => operations!.includes(2));
    assert.ok((await svg.textContent())!.includes(`Step ${step}: `), `${layer} runs in step ${step}`);
  });
});

test("a program's parts open and close by clicks", async () => {
  const model = nn.sequential([nn.flatten(), nn.dense(8), nn.relu(), nn.dense(4)], { input: [8, 8], seed: 1 });
  const program = compile(model, { optimizer: nn.sgd({ rate: 0.1 }), batch: 4 });
  const machine = new BlockEngine(lower(program, devices.gc200)).run();
  await show(programTree(machine.programTree()), async (page) => {
    const rows = page.locator("[data-row]");
    const before = await rows.count();
    assert.ok(before > 2);
    await rows.first().click();
    assert.is(await rows.count(), 1 + machine.programTree().functions.length);
    await rows.first().hover();
    assert.match((await page.locator('[role="tooltip"]').textContent())!, /cycles[\d,]+, 100\.0 %/);
  });
});

test("layers close and open by their names, and everything above stays in place", async () => {
  await show(graph(network), async (page) => {
    const boxes = page.locator("[data-box]");
    const before = await boxes.count();
    assert.is(before, network.nodes.length);
    const name = page.locator("[data-row] text").filter({ hasText: /^dense2$/ });
    const above = page.locator("[data-row] text").filter({ hasText: /^relu1$/ });
    const place = (await above.boundingBox())!;
    await name.click();
    assert.ok((await boxes.count()) < before);
    const after = (await above.boundingBox())!;
    assert.ok(Math.abs(after.x - place.x) < 0.5 && Math.abs(after.y - place.y) < 0.5, "relu1 has not moved");
    await page
      .locator("[data-row] text")
      .filter({ hasText: /^dense2$/ })
      .click();
    assert.is(await boxes.count(), before);
    await page.getByRole("button", { name: "Close every layer" }).click();
    const closed = await boxes.count();
    assert.ok(closed <= 4 * (network.layers.length + 1), `${closed} boxes`);
    await page.getByRole("button", { name: "Open every layer" }).click();
    assert.is(await boxes.count(), before);
  });
});

test("layers open and close by the keyboard too", async () => {
  await show(graph(network), async (page) => {
    const before = await page.locator("[data-box]").count();
    const row = page.locator("[data-row]").filter({ hasText: /^dense2$/ });
    assert.is(await row.getAttribute("aria-expanded"), "true");
    await row.focus();
    await page.keyboard.press("Enter");
    assert.ok((await page.locator("[data-box]").count()) < before);
    await page.keyboard.press("Enter");
    assert.is(await page.locator("[data-box]").count(), before);
  });
});

test("an operator under the pointer tells its type, bytes, work and what it reads", async () => {
  await show(graph(network), async (page) => {
    await page.locator("[data-box]").nth(1).hover();
    const tooltip = (await page.locator('[role="tooltip"]').textContent())!;
    assert.match(tooltip, /^matmul/);
    for (const part of ["float32[64,64]", "16 KiB", "6.42 MFLOP", "dense1.weight float32[784,64]"]) {
      assert.ok(tooltip.includes(part), `${part} in ${tooltip}`);
    }
  });
});

test("what was told of an operator goes when a search moves the graph away", async () => {
  await show(graph(network), async (page) => {
    const tooltip = page.locator('[role="tooltip"]');
    await page.getByRole("searchbox").click();
    await page.locator("[data-box]").nth(8).hover();
    assert.is(await tooltip.isVisible(), true);
    await page.keyboard.type("dense8");
    assert.is(await tooltip.isVisible(), false);
    await page.locator("[data-box]").nth(9).hover();
    await page.keyboard.press("Enter");
    await page.getByText(/^1 of \d+ found$/).waitFor();
    assert.is(await tooltip.isVisible(), false);
  });
});

test("lines are the wider the more bytes their tensors have, and tell them", async () => {
  await show(graph(network), async (page) => {
    const lines = page.locator("[data-line]");
    const widths = await lines.evaluateAll((paths) => paths.map((path) => Number(path.getAttribute("stroke-width"))));
    const layout = layoutGraph(
      network,
      buildHierarchy(network),
      chooseOpen(buildHierarchy(network), { rows: 60, boxes: 160 }),
    );
    const order = await lines.evaluateAll((paths) => paths.map((path) => Number(path.getAttribute("data-line"))));
    assert.is(order.length, layout.lines.length);
    const drawn = order.map((line, position) => ({ bytes: layout.lines[line].bytes, width: widths[position] }));
    drawn.sort((a, b) => a.bytes - b.bytes);
    for (const [position, { width }] of drawn.entries()) {
      if (position > 0) assert.ok(width >= drawn[position - 1].width);
    }
    assert.ok(drawn.at(-1)!.width > 3 * drawn[0].width);
    const widest = page.locator(`[data-line="${order[widths.indexOf(Math.max(...widths))]}"]`).first();
    await widest.dispatchEvent("pointermove");
    assert.match((await page.locator('[role="tooltip"]').textContent())!, /^\d+ tensors?, [\d.]+ [KM]?i?B/);
  });
});

test("what is kept and what is computed again is marked, and says so", async () => {
  const layers = [nn.flatten(), ...nn.repeat(6, [nn.dense(16), nn.relu()]), nn.dense(10)];
  const model = nn.sequential(layers, { input: [12, 12], seed: 1 });
  const report = compile(model, { optimizer: nn.sgd({ rate: 0.1 }), batch: 8, memory: "checkpoint" }).graph;
  await show(graph(report), async (page) => {
    const again = page.locator("[data-box]").filter({ has: page.locator("rect[stroke-dasharray]") });
    const recomputed = report.nodes.filter(({ recomputed }) => recomputed === true);
    assert.ok(recomputed.length > 0);
    assert.is(await again.count(), recomputed.length);
    await again.first().hover();
    assert.match(
      (await page.locator('[role="tooltip"]').textContent())!,
      /Computed again: the first results were not kept/,
    );
    const kept = page.locator("[data-box]").filter({ has: page.locator("[data-mark=kept]") });
    await kept.first().hover();
    assert.match((await page.locator('[role="tooltip"]').textContent())!, /Kept for the way back/);
  });
});

test("a piece of time under the pointer tells its superstep, its phases and how busy the tiles are", async () => {
  const model = nn.sequential([nn.flatten(), nn.dense(8), nn.relu(), nn.dense(4)], { input: [8, 8], seed: 1 });
  const program = compile(model, { optimizer: nn.sgd({ rate: 0.1 }), batch: 4 });
  const machine = new BlockEngine(lower(program, devices.gc200));
  machine.run();
  const report = machine.report();
  await show(execution(report), async (page) => {
    const { map } = executionLayout;
    const box = (await page.locator("svg[role=img]").boundingBox())!;
    const text = async (share: number): Promise<string> => {
      const scale = box.width / Number(await page.locator("svg[role=img]").getAttribute("width"));
      await page.mouse.move(box.x + (24 + map.x + share * map.width) * scale, box.y + box.height * 0.4);
      return (await page.locator('[role="tooltip"]').textContent())!;
    };
    const first = await text(0.001);
    const last = await text(0.999);
    assert.ok(first.includes(report.supersteps[0].name), first);
    assert.ok(last.includes(report.supersteps.at(-1)!.name), last);
    assert.match(first, /compute.*exchange.*sync|superstep/s);
  });
});

test("a search counts what it finds, and the return key goes there, opening what is closed", async () => {
  await show(graph(network), async (page) => {
    await page.getByRole("button", { name: "Close every layer" }).click();
    await page.getByRole("searchbox").fill("dense5 matmul");
    const expected = network.nodes.filter(({ layer, operator }) => layer === "dense5" && operator === "matmul").length;
    await page.getByText(`${expected} found`).waitFor();
    await page.keyboard.press("Enter");
    await page.getByText(`1 of ${expected} found`).waitFor();
    const name = page.locator("[data-row] text").filter({ hasText: /^dense5$/ });
    const view = (await page.locator("section").boundingBox())!;
    const place = (await name.boundingBox())!;
    assert.ok(place.y > view.y && place.y < view.y + view.height, "the layer is in sight");
  });
});

test("ten thousand operators open at once without being all drawn", async () => {
  const large = sampleGraph([784, ...new Array<number>(1120).fill(64), 10], 64, "large");
  assert.ok(large.nodes.length > 10_000);
  await show(graph(large), async (page) => {
    assert.ok((await page.locator("[data-box]").count()) <= 300);
    await page.getByRole("button", { name: "Open every layer" }).click();
    assert.ok((await page.locator("[data-box]").count()) <= 1600);
    await page.getByRole("searchbox").fill("dense777 matmul");
    await page.keyboard.press("Enter");
    await page
      .locator("[data-row] text")
      .filter({ hasText: /^dense777$/ })
      .waitFor();
  });
});

test("a vertex under the pointer tells what it is; colours, zoom and theme follow the reader", async () => {
  const vertices = { ...sampleVertices(6, 40, 3), tiles: Array.from({ length: 480 }, (_, vertex) => vertex % 16) };
  const figure = await bigPicture(vertices, { title: "vertices" });
  const stored = figure.content.interactive!.data as StoredVertices;
  await show(figure, async (page) => {
    const canvas = page.locator("canvas").first();
    const frame = (await canvas.boundingBox())!;
    // The vertex in the middle of a row, where the picture fills the canvas from the left.
    const vertex = 100;
    const shown = await canvas.evaluate((element: HTMLCanvasElement) => element.height / element.width);
    const scale = Math.min(frame.width / stored.width, (frame.width * shown) / stored.height);
    await page.mouse.move(frame.x + stored.x[vertex] * scale, frame.y + stored.y[vertex] * scale);
    const tooltip = (await page.locator('[role="tooltip"]').textContent())!;
    assert.match(tooltip, /^Sumforward of dense3/);
    assert.match(tooltip, /vertex100tile4reads3 edgesread by3 vertices/);
    const ink = (): Promise<string> => canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL());
    const before = await ink();
    await page.getByRole("button", { name: "Colour by tile" }).click();
    await page.waitForTimeout(100);
    const colored = await ink();
    assert.is.not(colored, before);
    await page.mouse.move(frame.x + frame.width / 2, frame.y + frame.height / 2);
    await page.mouse.wheel(0, -600);
    await page.waitForTimeout(300);
    assert.is(await ink(), colored, "the wheel alone scrolls the page");
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -600);
    await page.keyboard.up("Control");
    await page.waitForTimeout(300);
    assert.is.not(await ink(), colored);
    await page.getByRole("button", { name: "Show the whole graph again" }).click();
    await page.waitForTimeout(300);
    assert.is(await ink(), colored);
  });
});

test("images and networks are drawn in the colours of the page", async () => {
  const digit = Uint8Array.from({ length: 784 }, (_, index) => (index % 28 > 9 && index % 28 < 15 ? 255 : 0));
  for (const figure of [images([digit, digit], { labels: [1, 7] }), drawNetwork([784, 128, 10])]) {
    const check = async (page: Page): Promise<void> => {
      assert.is(await page.locator("svg[role=img] > rect").getAttribute("fill"), "#15181e");
    };
    await show(figure, check, "dark");
  }
});

test("charts are drawn by plotly with all their series", async () => {
  const histories = { shallow: [sampleHistory("shallow", 1, 0.017)], deep: [sampleHistory("deep", 1, 0.02)] };
  await show(curves(histories), async (page) => {
    await page.locator(".js-plotly-plot .legendtext").first().waitFor();
    const names = await page.locator(".js-plotly-plot .legendtext").allTextContents();
    assert.equal(names, ["shallow", "deep"]);
    assert.is(await page.locator(".js-plotly-plot .scatterlayer .trace").count(), 4);
  });
});

test("logarithmic axes name a few numbers as people write them, whatever their size", async () => {
  const axes: readonly (readonly [low: number, high: number, expected: string])[] = [
    [0.02, 3, "0.5"],
    [4000, 2e8, "10M"],
    [60_000, 6e7, "500k"],
    [4e-10, 0.6, "10−6"],
    [4, 1.8e19, "1015"],
  ];
  for (const [low, high, expected] of axes) {
    const values = [low, Math.sqrt(low * high), high];
    await show(line({ values }, { title: "sizes", y: { label: "size", scale: "log" } }), async (page) => {
      const ticks = page.locator(".js-plotly-plot .ytick text");
      await ticks.first().waitFor();
      const texts = (await ticks.allTextContents()).map((text) => text.replaceAll("\u200b", ""));
      assert.ok(texts.includes(expected), texts.join(" "));
      assert.ok(texts.length >= 4 && texts.length <= 12, texts.join(" "));
      assert.ok(
        texts.every((text) => !/e/.test(text)),
        texts.join(" "),
      );
    });
  }
});

test("figures are dark on a dark page and change with it", async () => {
  const cardColor = (page: Page): Promise<string> =>
    page.evaluate(() => {
      const find = (root: ParentNode): Element | null => {
        const svg = root.querySelector("svg[role=img] > rect");
        if (svg) return svg;
        for (const element of root.querySelectorAll("*")) {
          const inner = element.shadowRoot && find(element.shadowRoot);
          if (inner) return inner;
        }
        return null;
      };
      return find(document)!.getAttribute("fill")!;
    });
  await show(
    memory(deep),
    async (page) => {
      assert.is(await cardColor(page), "#15181e");
      await page.emulateMedia({ colorScheme: "light" });
      for (let attempt = 0; attempt < 100 && (await cardColor(page)) !== "#fdfdfc"; attempt++)
        await page.waitForTimeout(20);
      assert.is(await cardColor(page), "#fdfdfc");
    },
    "dark",
  );
});

test("what cannot be drawn rejects and leaves nothing behind, and disposing removes what was drawn", async () => {
  await show(memory(deep), async (page) => {
    const outcome = await page.evaluate(async () => {
      const { render } = (
        window as unknown as { TesseraFigures: { render: (...args: unknown[]) => Promise<void> & { dispose(): void } } }
      ).TesseraFigures;
      const element = document.createElement("div");
      document.body.append(element);
      const errors: string[] = [];
      for (const [mime, data] of [
        ["application/vnd.tessera.v1+json", { version: 1, kind: "unheard-of", data: {} }],
        ["application/vnd.tessera.v1+json", {}],
        ["application/vnd.plotly.v1+json", {}],
        ["text/plain", "x"],
      ] as const) {
        await render(element, mime, data).catch((error: Error) => errors.push(error.message));
      }
      const left = element.childNodes.length;
      return { errors, left };
    });
    assert.is(outcome.left, 0);
    assert.match(outcome.errors[0], /the kind must be one of memory, .*got unheard-of/);
    assert.match(outcome.errors[1], /version 1 with a kind/);
    assert.match(outcome.errors[2], /plotly must be on the page/);
    assert.match(outcome.errors[3], /MIME type must be/);
  });
});

test.run();
