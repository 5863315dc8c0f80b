import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import katex from "katex";
import type { MarkdownIt } from "markdown-it";
import { dataAddress, escapeHtml } from "./html.ts";

/** A formula as HTML for the eye and MathML for everything else. What KaTeX cannot set is shown as its source, in red. */
export function renderMath(tex: string, displayMode: boolean): string {
  return katex.renderToString(tex, { displayMode, throwOnError: false, errorColor: "var(--error)", strict: "ignore" });
}

/** Longer formulas than this many characters of TeX may be broken, and then so may what follows them. */
const longestBound = 40;

/**
 * Teaches markdown-it the formulas of notebooks: `$…$`, `$$…$$`, and environments `\begin{…} … \end{…}` that stand on
 * lines of their own. A single dollar opens only before and closes only after something other than a space, and does
 * not close before a digit, so that prices stay prices.
 */
export function mathPlugin(markdown: MarkdownIt): void {
  markdown.inline.ruler.after("escape", "math", (state, silent) => {
    const { src, pos } = state;
    if (src[pos] !== "$") return false;
    const fence = src[pos + 1] === "$" ? "$$" : "$";
    const begin = pos + fence.length;
    const end = closing(src, begin, fence);
    if (end === -1) {
      // The whole fence is text; its second dollar must not open a formula of its own.
      if (!silent) state.pending += fence;
      state.pos = begin;
      return true;
    }
    const tex = src.slice(begin, end);
    state.pos = end + fence.length;
    // Browsers would break a line between a formula and the full stop after it.
    const follows = /^[.,;:!?)\]’”…%]*/.exec(src.slice(state.pos))?.[0] ?? "";
    const isBound = fence === "$" && follows !== "" && tex.length < longestBound;
    if (isBound) state.pos += follows.length;
    if (silent) return true;
    const token = state.push(fence === "$$" ? "math_display" : "math_inline", "math", 0);
    token.content = tex;
    token.info = isBound ? follows : "";
    return true;
  });

  markdown.block.ruler.before(
    "fence",
    "math",
    (state, startLine, endLine, silent) => {
      const lineAt = (line: number): string =>
        state.src.slice(state.bMarks[line] + state.tShift[line], state.eMarks[line]);
      const first = lineAt(startLine);
      const environment = /^\\begin\{([A-Za-z]+\*?)\}/.exec(first)?.[1];
      const close = environment === undefined ? "$$" : `\\end{${environment}}`;
      if (environment === undefined && !first.startsWith("$$")) return false;
      const open = environment === undefined ? 2 : first.indexOf("}") + 1;
      const body: string[] = [];
      for (let line = startLine; line < endLine; line++) {
        const text = line === startLine ? first.slice(open) : lineAt(line);
        const end = text.indexOf(close);
        if (end === -1) {
          body.push(text);
          continue;
        }
        // Something follows on the closing line: a formula within a paragraph, for the inline rule.
        if (text.slice(end + close.length).trim() !== "") return false;
        if (silent) return true;
        body.push(text.slice(0, end));
        const token = state.push("math_display", "math", 0);
        token.block = true;
        token.map = [startLine, line + 1];
        const tex = body.join("\n");
        token.content = environment === undefined ? tex : `\\begin{${environment}}${tex}${close}`;
        state.line = line + 1;
        return true;
      }
      return false;
    },
    { alt: ["paragraph", "reference", "blockquote", "list"] },
  );

  markdown.renderer.rules.math_inline = (tokens, index) => {
    const { content, info } = tokens[index];
    const formula = renderMath(content, false);
    return info === "" ? formula : `<span class="bound">${formula}${escapeHtml(info)}</span>`;
  };
  markdown.renderer.rules.math_display = (tokens, index) => renderMath(tokens[index].content, true);
}

/** Where the formula that begins at `begin` ends, or -1. */
function closing(text: string, begin: number, fence: "$" | "$$"): number {
  const isInline = fence === "$";
  if (isInline && /^\s?$/.test(text[begin] ?? "")) return -1;
  for (let end = text.indexOf(fence, begin); end !== -1; end = text.indexOf(fence, end + 1)) {
    if (isEscaped(text, end) || end === begin) continue;
    if (!isInline) return end;
    if (/\s/.test(text[end - 1]) || /\d/.test(text[end + 1] ?? "")) continue;
    return end;
  }
  return -1;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

/**
 * KaTeX's style sheet for a page, its fonts embedded: only those that some formula of the page uses, for all twenty
 * would add 400 kB to every page.
 *
 * @param html the page's body; without a formula the sheet is empty
 */
export function mathStyles(html: string): string {
  if (!html.includes('class="katex')) return "";
  const folder = dirname(createRequire(import.meta.url).resolve("katex/dist/katex.min.css"));
  const sheet = readFileSync(join(folder, "katex.min.css"), "utf8");
  const used = usedFaces(sheet, html);
  return sheet.replace(/@font-face\{([^}]*)\}/g, (_, body: string) => {
    const face = faceOf(body);
    const file = /url\(([^)]+\.woff2)\)/.exec(body)?.[1];
    if (file === undefined || !used.has(face)) return "";
    const address = dataAddress("font/woff2", readFileSync(join(folder, file)));
    return `@font-face{${body.replace(/src:.*$/s, `src:url(${address}) format("woff2")`)}}`;
  });
}

/** The font faces (`family|weight|style`) that rules of the sheet choose for classes which occur in the page. */
function usedFaces(sheet: string, html: string): ReadonlySet<string> {
  const classes = new Set([...html.matchAll(/class="([^"]*)"/g)].flatMap(([, names]) => names.split(/\s+/)));
  const rules = [...sheet.replace(/@font-face\{[^}]*\}/g, "").matchAll(/([^{}]+)\{([^{}]*)\}/g)]
    .filter(([, selectors, body]) => /font/.test(body) && selectors.split(",").some((one) => applies(one, classes)))
    .map(([, , body]) => faceOf(body));
  const families = new Set(rules.map((face) => face.split("|")[0]).filter((family) => family !== ""));
  // A rule such as `.textbf` sets the weight alone and holds for whichever family is current.
  return new Set(
    rules.flatMap((face) => {
      const [family, weight, style] = face.split("|");
      return (family === "" ? [...families] : [family]).map((name) => `${name}|${weight}|${style}`);
    }),
  );
}

function applies(selector: string, classes: ReadonlySet<string>): boolean {
  return [...selector.matchAll(/\.([\w-]+)/g)].every(([, name]) => classes.has(name));
}

function faceOf(body: string): string {
  const family = /KaTeX_\w+/.exec(body)?.[0] ?? "";
  const weight = /font-weight:(?:700|bold)/.test(body) ? "bold" : "normal";
  const style = /font-style:italic/.test(body) ? "italic" : "normal";
  return `${family}|${weight}|${style}`;
}
