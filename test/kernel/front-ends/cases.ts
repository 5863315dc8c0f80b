// The kernel under a front end as a reader meets it: a real server, a real browser, and their keys and menus.
import type { Locator } from "playwright-core";
import * as assert from "uvu/assert";
import { FrontEnds, output, prompt, type View } from "../../support/front-ends.ts";
import { suite } from "../../support/suite.ts";

const slider = `
const slider = controls.slider({ label: "epochs", min: 0, max: 100_000 })
let moved = 0
slider.onChange = (value) => { moved = value }
slider`;

/** Trains until the reader has moved the slider, which meanwhile shows the number of epochs; beside it a live figure. */
const training = `
const program = compile(nn.sequential([nn.flatten(), nn.dense(32), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 }), { loss: nn.crossEntropy(), optimizer: nn.sgd({ rate: 0.1 }), batch: 32 })
const { train } = datasets.syntheticDigits({ train: 256 })
const figure = display(await program.fit(train, { epochs: 1 }))
for (let epochs = 1; moved === 0; epochs += 100) {
  slider.value = epochs
  figure.update(await program.fit(train, { epochs: 100 }))
}`;

const notebooks: Readonly<Record<string, readonly string[]>> = {
  error: ["1 + 1", "throw new RangeError('too far')", "'never'"],
  progress: [
    "for (const n of progress([...Array(40).keys()], { title: 'counting' })) { const until = Date.now() + 100; while (Date.now() < until); }",
  ],
  training: [slider, training, "'moved to ' + moved"],
  interrupt: ["let kept = 7", "while (true) {}", "kept"],
  names: [
    "/** How far apart platforms are.\n * @param gap in metres */\nfunction platformGap(gap: number) { return gap }\nconst station = { platform: 9, plateau: 1 }",
    "station.pla",
    "platformGap(",
  ],
  question: ["'Hello ' + prompt('Your name?')"],
  controls: [
    "let pressed = 0\nconst slider = controls.slider({ min: 0, max: 100, value: 50 })\nslider",
    "const choice = controls.choice({ options: ['a', 'b', 'c'] })\nchoice",
    "const button = controls.button({ label: 'press', onPress: () => { pressed++ } })\nbutton",
    "const checkbox = controls.checkbox()\ncheckbox",
    "[slider.value, choice.value, pressed, checkbox.value].join(' ')",
  ],
};

/** Asks again and again until it is so; fails after a minute. */
async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (await isSo()) return;
    await new Promise((later) => setTimeout(later, 200));
  }
  throw new Error(`waited a minute for: ${what}`);
}

/** Puts the cursor behind the last character of a cell. */
async function clickEnd(cell: Locator): Promise<void> {
  await cell.locator(".cm-content").click();
  await cell.page().keyboard.press("Control+End");
}

/** A suite of what a reader does in one of the two; the caller may add to it, and has to run it. */
export function frontEndCases(view: View): { readonly test: ReturnType<typeof suite>; frontEnds(): FrontEnds } {
  const named = view === "lab" ? "JupyterLab" : "Notebook";
  const missing = FrontEnds.missing("notebook", "jupyterlab_widgets");
  const test = suite(`the kernel in ${named}`, missing !== "" && missing);
  let frontEnds: FrontEnds;
  test.before(async () => {
    frontEnds = await FrontEnds.start();
    for (const [name, sources] of Object.entries(notebooks)) frontEnds.write(`${name}.ipynb`, sources);
  });
  test.after(() => frontEnds?.stop());

  test("stops at the cell that fails, and shows what was thrown and where", async () => {
    await frontEnds.use(view, "error.ipynb", async ({ cells, choose }) => {
      await choose("Run", "Run All Cells");
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

  test("moves one progress bar in its place while a loop runs that never rests", async () => {
    await frontEnds.use(view, "progress.ipynb", async ({ cells, choose }) => {
      await choose("Run", "Run All Cells");
      const bar = cells.first().getByRole("progressbar");
      const seen = new Set<number>();
      await bar.first().waitFor();
      while (!(await prompt(cells.first()).textContent())?.includes("[1]")) {
        assert.ok((await bar.count()) <= 1, "one bar, or none while it is drawn anew");
        seen.add(Number(await bar.getAttribute("aria-valuenow")));
      }
      assert.ok(seen.size > 2, `the bar must be seen at more than two places, got ${[...seen]}`);
      await output(cells.first()).getByText("40/40").first().waitFor();
    });
  });

  test("shows a slider that training moves and that reaches training, and a figure that grows with it", async () => {
    await frontEnds.use(view, "training.ipynb", async ({ cells, choose, page }) => {
      await choose("Run", "Run All Cells");
      const readout = cells.nth(0).locator(".widget-readout");
      const epochs = async (): Promise<number> => Number((await readout.textContent())?.replaceAll(",", ""));
      await readout.getByText(/^[1-9][,\d]*1$/).waitFor();
      const early = await epochs();
      const curve = cells.nth(1).locator(".js-plotly-plot .scatterlayer path.js-line").first();
      await curve.waitFor();
      const drawnEarly = await curve.getAttribute("d");
      await eventually("the slider moves on", async () => (await epochs()) > early + 100);
      await eventually("the figure grows", async () => {
        const drawn = await curve.getAttribute("d", { timeout: 1000 }).catch(() => drawnEarly);
        return drawn !== drawnEarly;
      });
      assert.match((await prompt(cells.nth(1)).textContent()) ?? "", /\[\*\]/);
      assert.ok(
        (await cells.nth(1).locator(".js-plotly-plot").count()) <= 1,
        "one figure, or none while it is drawn anew",
      );
      // Both ends move it at once: now and then training is the stronger one, and the reader tries again.
      await eventually("training ends by the reader's hand", async () => {
        await cells.nth(0).locator(".noUi-handle").focus();
        await page.keyboard.press("ArrowRight");
        return (await prompt(cells.nth(1)).textContent())?.includes("[2]") ?? false;
      });
      await output(cells.nth(2))
        .getByText(/^'moved to [1-9]\d*'/)
        .waitFor();
    });
  });

  test("leaves the keys to a control that has the focus", async () => {
    await frontEnds.use(view, "controls.ipynb", async ({ cells, choose, page }) => {
      await choose("Run", "Run All Cells");
      await output(cells.nth(4)).getByText("'50 a 0 false'").waitFor();
      const pressOn = async (cell: number, control: string, key: string): Promise<void> => {
        await cells.nth(cell).locator(control).focus();
        await page.keyboard.press(key);
      };
      await pressOn(0, ".noUi-handle", "ArrowRight");
      await pressOn(0, ".noUi-handle", "ArrowUp");
      await pressOn(1, "select", "ArrowDown");
      await pressOn(2, "button.jupyter-button", "Enter");
      await pressOn(3, "input[type=checkbox]", " ");
      await cells.nth(4).locator(".cm-content").click();
      await page.keyboard.press("Shift+Enter");
      await output(cells.nth(4)).getByText("'52 b 1 true'").waitFor();
    });
  });

  test("stops an endless loop by its button, keeps the values, and loses them by a restart", async () => {
    await frontEnds.use(view, "interrupt.ipynb", async ({ cells, choose, page }) => {
      await choose("Run", "Run All Cells");
      await prompt(cells.nth(0)).getByText("[1]:").waitFor();
      await prompt(cells.nth(1)).getByText("[*]:").waitFor();
      await page
        .locator('[data-command="notebook:interrupt-kernel"], [data-jp-item-name="interrupt"] jp-button')
        .first()
        .click();
      await output(cells.nth(1)).getByText("the values of all cells are kept").first().waitFor();
      await cells.nth(2).locator(".cm-content").click();
      await page.keyboard.press("Shift+Enter");
      await output(cells.nth(2))
        .getByText(/^7\s*$/)
        .first()
        .waitFor();
      await choose("Kernel", "Restart Kernel…");
      await page.locator(".jp-Dialog .jp-mod-accept").first().click();
      await page.locator(".jp-Dialog").waitFor({ state: "detached" });
      await cells.nth(2).locator(".cm-content").click();
      await page.keyboard.press("Shift+Enter");
      await output(cells.nth(2)).getByText("Cannot find name 'kept'").first().waitFor();
      await prompt(cells.nth(2)).getByText("[1]:").waitFor();
    });
  });

  test("completes a member by Tab, with its kind, and tells about a function by Shift-Tab", async () => {
    await frontEnds.use(view, "names.ipynb", async ({ cells, page }) => {
      await clickEnd(cells.nth(0));
      await page.keyboard.press("Shift+Enter");
      await prompt(cells.nth(0)).getByText("[1]:").waitFor();
      await clickEnd(cells.nth(1));
      await page.keyboard.press("Tab");
      const items = page.locator(".jp-Completer-item");
      await items.first().waitFor();
      assert.equal(await items.locator(".jp-Completer-match").allTextContents(), ["plateau", "platform"]);
      assert.equal(await items.locator(".jp-Completer-typeExtended").allTextContents(), ["property", "property"]);
      await page.keyboard.press("Enter");
      await cells.nth(1).locator(".cm-content").getByText("station.plateau").waitFor();
      await clickEnd(cells.nth(2));
      await page.keyboard.press("Shift+Tab");
      const tooltip = page.locator(".jp-Tooltip");
      await tooltip.getByText("platformGap(gap: number): number").first().waitFor();
      await tooltip.getByText("How far apart platforms are.").first().waitFor();
    });
  });

  test("asks what a cell asks, and hands the answer back", async () => {
    await frontEnds.use(view, "question.ipynb", async ({ cells, choose, page }) => {
      await choose("Run", "Run All Cells");
      // The question itself: the cell's own text also holds its words.
      await cells.first().locator(".jp-Stdin-prompt", { hasText: "Your name?" }).waitFor();
      await cells.first().locator(".jp-Stdin-input").fill("Ada");
      await page.keyboard.press("Enter");
      await output(cells.first()).getByText("'Hello Ada'").waitFor();
    });
  });
  return { test, frontEnds: () => frontEnds };
}
