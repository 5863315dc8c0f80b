import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseHTML } from "linkedom";
import * as assert from "uvu/assert";
import { type Notebook, type PageOptions, renderPage } from "../../../kernel/headless/index.ts";
import { suite } from "../../support/suite.ts";
import { code, notebookOf } from "./fixtures.ts";
import { everyForm } from "./page-notebook.ts";

const test = suite("the page of a notebook");

const scripts = { plotly: "/* plotly */", figures: "/* figures */ </script>" };
const html = pageOf(everyForm(), { scripts });
const { document } = parseHTML(html);

function pageOf(notebook: Notebook, options: Partial<PageOptions> = {}): string {
  return renderPage(notebook, { name: "every-form.ipynb", folder: import.meta.dirname, ...options });
}

function parsed(notebook: Notebook, options: Partial<PageOptions> = {}): Document {
  return parseHTML(pageOf(notebook, options)).document as unknown as Document;
}

function cellText(count: number): string {
  return document.getElementById(`cell-${count}`)?.querySelector(".outputs")?.textContent ?? "";
}

function image(alternative: string): Element | undefined {
  return [...document.querySelectorAll("img")].find((element) => element.getAttribute("alt") === alternative);
}

test("is complete HTML named by the notebook's first heading", () => {
  assert.match(html, /^<!doctype html>\n<html lang="en">/);
  assert.is(document.querySelector("title")?.textContent, "Deep or shallow?");
  assert.is(document.querySelectorAll("h1").length, 1);
});

test("loads nothing from anywhere: each address it fetches is data, and a policy forbids the rest", () => {
  for (const element of document.querySelectorAll("[src], [srcset], [poster], [data], link, object, iframe")) {
    assert.match(element.getAttribute("src") ?? "", /^data:/, element.outerHTML.slice(0, 80));
  }
  const styles = [...document.querySelectorAll("style")].map((style) => style.textContent).join("");
  for (const [, address] of styles.matchAll(/url\(([^)]*)\)/g)) assert.match(address, /^data:font\/woff2/);
  assert.not.match(styles, /@import/);
  const policy = document.querySelector("meta[http-equiv]")?.getAttribute("content") ?? "";
  assert.match(policy, /^default-src 'none'/);
  assert.not.match(policy, /https?:|\*|self/);
  // A remote picture is a link that a person may follow.
  const far = [...document.querySelectorAll("a")].find((link) => link.textContent === "far away");
  assert.is(far?.getAttribute("href"), "https://example.org/far.png");
});

test("shows streams with their colours, errors, results and the richest form of each value", () => {
  assert.is(cellText(1).trim(), "60000 images true");
  assert.is(document.querySelector("#cell-2 .outputs td")?.textContent, "shallow");
  assert.is(document.querySelector("#cell-5 .stderr")?.textContent, "rate is large\n");
  assert.is(document.querySelector("#cell-5 .ansi-bold.ansi-fg-2")?.textContent, "green");
  assert.match(cellText(5), /inverse true <b>/);
  assert.match(cellText(5), /epoch 3/);
  assert.not.match(cellText(5), /epoch 1/);
  assert.is(document.querySelector("#cell-6 strong")?.textContent, "bold");
  assert.match(
    document.querySelector("#cell-6 .outputs > .katex-display annotation")?.textContent ?? "",
    /^\\int_0\^1/,
  );
  assert.match(cellText(6), /"name": "<deep>"/);
  assert.match(cellText(6), /no form that a page can show \(application\/vnd\.unknown\)/);
  assert.match(
    document.querySelector("#cell-8 .error")?.textContent ?? "",
    /TypeError: broken is not a function\n.*cell8\.ts:1:1/s,
  );
});

test("describes every picture: by the author's words, by its plain text, or by its cell", () => {
  assert.is(image("a photograph")?.getAttribute("width"), "32");
  assert.ok(image("Memory over time: peak 12.4 MB at step 17"));
  assert.ok(image("a tile"));
  assert.ok(image("Figure from cell 6")?.getAttribute("src")?.startsWith("data:image/svg+xml;base64,"));
  for (const element of document.querySelectorAll("img")) assert.not.equal(element.getAttribute("alt") ?? "", "");
});

test("escapes what is text, in code, in outputs and in raw cells", () => {
  assert.match(document.querySelector("#cell-1 code")?.textContent ?? "", /test\("a<b"\)/);
  assert.match(document.querySelector("#cell-1 code")?.textContent ?? "", /Result<T extends number>/);
  assert.is(document.querySelector("#cell-5 .outputs b"), null);
  const page = parsed(
    notebookOf(code("</code><script>alert(1)</script>"), { cell_type: "raw", source: "<i>", metadata: {} }),
  );
  assert.is(page.querySelectorAll("script").length, 0);
  assert.is(page.querySelector("i"), null);
});

test("passes raw cells that are meant for HTML and leaves out those for other formats", () => {
  assert.ok(document.querySelector("hr.raw-html"));
  assert.not.match(html, /LaTeX\{\}/);
});

test("colours code when the page is made", () => {
  const keywords = [...document.querySelectorAll("#cell-1 .hljs-keyword")].map((element) => element.textContent);
  for (const keyword of ["const", "await", "interface"]) assert.ok(keywords.includes(keyword), keyword);
});

test("sets formulas for the eye and for a screen reader, and leaves prices alone", () => {
  const formulas = [...document.querySelectorAll("annotation")].map((element) => element.textContent?.trim());
  assert.ok(formulas.includes("x_i"));
  assert.ok(formulas.some((tex) => tex?.startsWith("\\begin{align}") && tex.endsWith("\\end{align}")));
  assert.match(document.querySelector("main")?.textContent ?? "", /costs \$5, not \$6\. Escaped: \$x\$\./);
});

test("keeps a short formula and the punctuation after it on one line", () => {
  const source = "so $n = 784$. And $x$, too; ($y$) but not $z$ here.";
  const page = parsed(notebookOf({ cell_type: "markdown", source, metadata: {} }));
  const bound = [...page.querySelectorAll(".bound")].map((span) => span.textContent?.slice(-1));
  assert.equal(bound, [".", ",", ")"]);
  assert.match(page.querySelector("p")?.textContent ?? "", /^so .* And .*, too; \(.*\) but not .* here\.$/);
});

test("embeds only the fonts that its formulas use, and none without a formula", () => {
  const fonts = (page: string): string[] =>
    [...page.matchAll(/font-family:(KaTeX_\w+)[^}]*url\(data:/g)].map(([, name]) => name);
  assert.equal(fonts(pageOf(notebookOf(code("1")))), []);
  const prose = (source: string): string => pageOf(notebookOf({ cell_type: "markdown", source, metadata: {} }));
  assert.equal(fonts(prose("$1 + 2$")), ["KaTeX_Main"]);
  assert.equal(fonts(prose("$x$")).sort(), ["KaTeX_Main", "KaTeX_Math"]);
  assert.ok(fonts(prose("$\\mathbb{R}$")).includes("KaTeX_AMS"));
  assert.is(fonts(prose("$\\mathbf{x}$")).filter((name) => name === "KaTeX_Main").length, 2);
  assert.ok(fonts(prose("$$\\sum_i$$")).includes("KaTeX_Size2"));
});

test("a formula that cannot be set shows its source and does not spoil the page", () => {
  const page = parsed(notebookOf({ cell_type: "markdown", source: "before $\\frac{1}$ after", metadata: {} }));
  assert.match(page.querySelector("main")?.textContent ?? "", /before .*\\frac\{1\}.* after/);
});

test("lists the headings where there are four or more, each linked to its place", () => {
  const links = [...document.querySelectorAll(".contents a")];
  assert.equal(
    links.map((link) => link.textContent),
    ["A layer", "Memory over time", "What grows with the batch", "Pictures"],
  );
  for (const link of links) {
    const id = decodeURI(link.getAttribute("href")?.slice(1) ?? "");
    assert.is(document.getElementById(id)?.textContent, link.textContent);
  }
  const short = parsed(notebookOf({ cell_type: "markdown", source: "# A\n## B\n## C", metadata: {} }));
  assert.is(short.querySelector(".contents"), null);
});

test("a picture that is missing, or has a name that no address allows, is a link and spoils nothing", () => {
  const source = "![gone](no-such.png) ![odd](100%.png) ![note](notes.txt)";
  const page = parsed(notebookOf({ cell_type: "markdown", source, metadata: {} }));
  assert.is(page.querySelectorAll("img").length, 0);
  assert.equal(
    [...page.querySelectorAll("main a")].map((link) => link.textContent),
    ["gone", "odd", "note"],
  );
});

test("embeds a picture from the notebook's folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "tessera-"));
  writeFileSync(join(folder, "a tile.svg"), "<svg/>");
  const page = parsed(notebookOf({ cell_type: "markdown", source: "![tile](a%20tile.svg)", metadata: {} }), { folder });
  const source = page.querySelector("img")?.getAttribute("src");
  assert.is(source, `data:image/svg+xml;base64,${Buffer.from("<svg/>").toString("base64")}`);
});

test("headings of one name get places of their own", () => {
  const page = parsed(notebookOf({ cell_type: "markdown", source: "## Same\n## Same", metadata: {} }));
  assert.equal(
    [...page.querySelectorAll("h2")].map(({ id }) => id),
    ["Same", "Same-2"],
  );
});

test("a figure is its picture, with its data and the scripts packed once", () => {
  const figures = [...document.querySelectorAll("figure")];
  assert.is(figures.length, 1);
  assert.ok(figures[0].querySelector(".still img")?.getAttribute("src")?.startsWith("data:image/png"));
  const data = figures[0].querySelector(".figure-data")?.textContent ?? "";
  assert.equal(JSON.parse(unpack(data)), { kind: "graph", nodes: ["a</script>", "b"] });
  const packed = [...document.querySelectorAll(".figure-script")].map((script) => unpack(script.textContent ?? ""));
  assert.equal(packed, [scripts.figures]);
});

test("charts bring the chart library with them; a page without figures brings no script", () => {
  const chart = { "application/vnd.plotly.v1+json": { data: [] }, "image/png": "aaaa" };
  const shown = { ...code("1"), outputs: [{ output_type: "display_data", data: chart, metadata: {} }] } as const;
  const page = parsed(notebookOf(shown, shown), { scripts });
  const packed = [...page.querySelectorAll(".figure-script")].map((script) => unpack(script.textContent ?? ""));
  assert.equal(packed, [scripts.plotly, scripts.figures]);
  assert.is(parsed(notebookOf(code("1")), { scripts }).querySelectorAll("script").length, 0);
  assert.is(parsed(notebookOf(shown)).querySelectorAll("script:not(.figure-data)").length, 0);
});

test("hides input where a tag asks for it, but keeps it at hand", () => {
  assert.is(document.querySelector("#cell-7 details code")?.textContent, "secret()");
});

test("numbers the cells and tells how long the slow ones took", () => {
  assert.is(document.querySelector("#cell-3 .count")?.textContent, "3");
  assert.is(document.querySelector("#cell-3 .took")?.textContent, "12.4 s");
  assert.is(document.querySelector("#cell-1 .took"), null);
});

test("tells at the top where a run stopped", () => {
  const place = { index: 0, number: 1, count: 3, cell: code("x<y") };
  const failure = { place, ename: "TypeError", evalue: "<b> is no tensor", traceback: [] };
  const page = parsed(notebookOf({ ...code("x<y"), execution_count: 1 }), { failure });
  const banner = page.querySelector("[role=alert]");
  assert.match(banner?.textContent ?? "", /stopped at cell 1 of 3\. TypeError: <b> is no tensor/);
  assert.is(banner?.querySelector("a")?.getAttribute("href"), "#cell-1");
  assert.ok(page.getElementById("cell-1"));
});

test("the same notebook gives the same page", () => {
  assert.is(pageOf(everyForm(), { scripts }), html);
});

function unpack(text: string): string {
  return gunzipSync(Buffer.from(text, "base64")).toString("utf8");
}

test.run();
