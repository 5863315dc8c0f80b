// What `import … from "tslab"` gives: tslab's display API, so that notebooks written for tslab run.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { display as shown } from "./display.ts";

const require = createRequire(import.meta.url);

/** Shows one media type each, as tslab does; nothing is returned. */
export interface TslabDisplay {
  javascript(text: string): void;
  html(text: string): void;
  markdown(text: string): void;
  latex(text: string): void;
  svg(text: string): void;
  png(bytes: Uint8Array): void;
  jpeg(bytes: Uint8Array): void;
  gif(bytes: Uint8Array): void;
  pdf(bytes: Uint8Array): void;
  text(text: string): void;
  raw(contentType: string, content: string | Uint8Array): void;
}

/** Shows in the cell that runs. */
export const display: TslabDisplay = shown;

/** An output that every further call replaces. */
export function newDisplay(): TslabDisplay {
  const id = randomUUID();
  const raw = (contentType: string, content: string | Uint8Array): void => void shown.raw(contentType, content, { id });
  return {
    raw,
    javascript: (text) => raw("text/javascript", text),
    html: (text) => raw("text/html", text),
    markdown: (text) => raw("text/markdown", text),
    latex: (text) => raw("text/latex", text),
    svg: (text) => raw("image/svg+xml", text),
    text: (text) => raw("text/plain", text),
    png: (bytes) => raw("image/png", bytes),
    jpeg: (bytes) => raw("image/jpeg", bytes),
    gif: (bytes) => raw("image/gif", bytes),
    pdf: (bytes) => raw("application/pdf", bytes),
  };
}

/** What this kernel is made of, under tslab's names. */
export const versions = {
  tslab: versionOf("tslab"),
  typescript: versionOf("typescript"),
  node: process.version,
};

function versionOf(name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version;
}
