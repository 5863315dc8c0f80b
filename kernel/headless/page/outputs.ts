import type { Json, JsonObject, MimeBundle } from "../../protocol/index.ts";
import { type DisplayOutput, isJsonMime, type Output, type ResultOutput } from "../notebook.ts";
import { ansiToHtml } from "./ansi.ts";
import { figure, interactiveMimes } from "./figures.ts";
import { highlight } from "./highlight.ts";
import { escapeHtml } from "./html.ts";
import { renderMath } from "./math.ts";

/** What rendering an output needs to know of the page around it. */
export interface OutputContext {
  /** Said of a picture that describes itself in no other way. */
  readonly pictureName: string;
  /** Renders markdown that a cell displayed. */
  readonly markdown: (source: string) => string;
}

type Render = (data: Json, metadata: JsonObject, bundle: MimeBundle, context: OutputContext) => string;

/** How each form of a value is shown; a bundle is shown in the first of these forms that it has. */
const renderers: readonly (readonly [mime: string, render: Render])[] = [
  ...interactiveMimes.map((mime): [string, Render] => [
    mime,
    (data, metadata, bundle, context) =>
      figure(mime, data, still(metadata, bundle, context), described(undefined, bundle, context)),
  ]),
  ["text/html", (data) => `<div class="html">${data}</div>`],
  ["text/markdown", (data, _metadata, _bundle, { markdown }) => `<div class="prose">${markdown(String(data))}</div>`],
  ["image/svg+xml", (data, ...rest) => picture("image/svg+xml", Buffer.from(String(data)).toString("base64"), ...rest)],
  ["text/latex", (data) => renderMath(withoutDelimiters(String(data)), true)],
  ...["image/png", "image/jpeg", "image/gif", "image/webp"].map((mime): [string, Render] => [
    mime,
    (data, ...rest) => picture(mime, String(data).replace(/\s/g, ""), ...rest),
  ]),
  ["application/javascript", (data) => script(String(data))],
  ["application/json", (data) => `<pre>${highlight(JSON.stringify(data, null, 2), "json")}</pre>`],
  ["text/plain", (data) => `<pre>${ansiToHtml(String(data))}</pre>`],
];

/** One output as HTML. */
export function renderOutput(output: Output, context: OutputContext): string {
  switch (output.output_type) {
    case "stream":
      return `<pre class="${output.name === "stderr" ? "stderr" : "stdout"}">${ansiToHtml(output.text)}</pre>`;
    case "error": {
      const lines = output.traceback.length > 0 ? output.traceback : [`${output.ename}: ${output.evalue}`];
      return `<pre class="error">${ansiToHtml(lines.join("\n"))}</pre>`;
    }
    case "display_data":
    case "execute_result":
      return renderBundle(output, context);
  }
}

function renderBundle({ data, metadata }: DisplayOutput | ResultOutput, context: OutputContext): string {
  for (const [mime, render] of renderers) {
    if (data[mime] !== undefined) return render(data[mime], metadata, data, context);
  }
  const json = Object.keys(data).find(isJsonMime);
  if (json !== undefined) return `<pre>${highlight(JSON.stringify(data[json], null, 2), "json")}</pre>`;
  const mimes = Object.keys(data).join(", ") || "nothing";
  return `<p class="note">This output has no form that a page can show (${escapeHtml(mimes)}).</p>`;
}

/** The picture that stands for a figure until, and unless, a script makes it interactive; or its other still form. */
function still(metadata: JsonObject, bundle: MimeBundle, context: OutputContext): string {
  const mimes = ["image/png", "image/svg+xml", "image/jpeg", "text/html", "text/plain"];
  const mime = mimes.find((one) => bundle[one] !== undefined);
  const render = renderers.find(([one]) => one === mime)?.[1];
  return mime === undefined || !render ? "" : render(bundle[mime] as Json, metadata, bundle, context);
}

function picture(
  mime: string,
  base64: string,
  metadata: JsonObject,
  bundle: MimeBundle,
  context: OutputContext,
): string {
  // IPython's words for what a picture says of itself; sizes are in CSS pixels.
  const own = (metadata[mime] ?? {}) as { alt?: Json; width?: Json; height?: Json };
  const size = (["width", "height"] as const)
    .filter((side) => typeof own[side] === "number")
    .map((side) => ` ${side}="${own[side]}"`);
  const alternative = escapeHtml(described(own.alt, bundle, context));
  return `<img src="data:${mime};base64,${base64}" alt="${alternative}"${size.join("")}>`;
}

/** What a picture shows, in words: the author's, or its plain form unless that is an object's bare name, or its cell. */
function described(alternative: Json | undefined, bundle: MimeBundle, context: OutputContext): string {
  const words = [alternative, bundle["text/plain"]].find(
    (text) => typeof text === "string" && text.trim() !== "" && !text.startsWith("<"),
  );
  return String(words ?? context.pictureName);
}

/** A script that a cell displayed runs where it stands, and finds its `element` as it does in JupyterLab. */
function script(code: string): string {
  const safe = code.replaceAll(/<(?=\/script|script|!--)/gi, "\\x3c");
  return `<div><script>(function (element) {\n${safe}\n})(document.currentScript.parentElement)</script></div>`;
}

function withoutDelimiters(latex: string): string {
  const text = latex.trim();
  for (const [open, close] of [
    ["$$", "$$"],
    ["\\[", "\\]"],
    ["\\(", "\\)"],
    ["$", "$"],
  ]) {
    if (text.startsWith(open) && text.endsWith(close) && text.length >= open.length + close.length) {
      return text.slice(open.length, -close.length);
    }
  }
  return text;
}
