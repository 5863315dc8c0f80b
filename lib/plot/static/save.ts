import { rename, writeFile } from "node:fs/promises";
import { extname } from "node:path";
import type { DrawnFigure } from "../figure-content.ts";
import { embedFonts } from "./embed-fonts.ts";
import { figurePage } from "./page.ts";
import { rasteriseDense } from "./rasterise.ts";

/** A file's ending and what is written under it. */
const writers: Readonly<Record<string, (figure: DrawnFigure) => Promise<string | Uint8Array>>> = {
  ".png": (figure) => figure.png(),
  ".jpg": async (figure) => rasteriseDense(await figure.svg(), 1, 85, figure.theme.card),
  ".svg": async (figure) => embedFonts(await figure.svg()),
  ".html": figurePage,
  ".json": async ({ kind, title, summary, content }) =>
    `${JSON.stringify({ kind, title, summary, data: content.interactive?.data ?? null })}\n`,
};

/** Writes a figure in the form that the file's ending names, whole or not at all. */
export async function saveFigure(figure: DrawnFigure, path: string): Promise<void> {
  const ending = extname(path).toLowerCase();
  const write = writers[ending];
  if (!write) {
    throw new Error(
      `figure.save: the file's ending must be one of ${Object.keys(writers).join(", ")}, got ${JSON.stringify(ending)} (${path}); rename the file`,
    );
  }
  const content = await write(figure);
  const unfinished = `${path}.unfinished`;
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}
