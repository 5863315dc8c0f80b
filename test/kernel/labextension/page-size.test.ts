// The page of a lecture, made of its stored outputs and the scripts as built.
import { join } from "node:path";
import * as assert from "uvu/assert";
import { readNotebook, renderPage } from "../../../kernel/headless/index.ts";
import { readFigureScripts } from "../../../kernel/headless/page/figures.ts";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";

const scripts = readFigureScripts();
const test = suite(
  "the size of a page",
  scripts === undefined && "the figure scripts are not built: run npm run build first",
);

test("the first lecture is one file of three megabytes at most, with each script once", async () => {
  const folder = join(projectRoot, "notebooks");
  const name = "01-deep-vs-shallow.ipynb";
  const page = renderPage(await readNotebook(join(folder, name)), { name, folder, ...(scripts && { scripts }) });
  const figures = page.split('class="figure"').length - 1;
  assert.ok(figures > 5, `${figures} figures`);
  assert.is(page.split('class="figure-script"').length - 1, 2);
  assert.ok(Buffer.byteLength(page) <= 3_000_000, `${Buffer.byteLength(page)} bytes`);
});

test.run();
