import { readFile } from "node:fs/promises";

/** The shipped fonts; see rasterise.ts for the way to them. */
const assets = new URL("../../../../lib/plot/assets/", import.meta.url);

const weights = [
  { weight: 400, file: "inter-regular.woff2", used: /<text(?![^>]*font-weight)/ },
  { weight: 600, file: "inter-semibold.woff2", used: /<text[^>]*font-weight="600"/ },
];

/**
 * Puts the letters into a drawing that is to stand in a file of its own: labels are measured with the shipped font, and
 * would overlap in another. Only the weights that the drawing uses are put in, about 36 kB each.
 */
export async function embedFonts(svg: string): Promise<string> {
  const faces = weights
    .filter(({ used }) => used.test(svg))
    .map(async ({ weight, file }) => {
      const font = await readFile(new URL(file, assets), "base64");
      return `@font-face{font-family:Inter;font-weight:${weight};src:url(data:font/woff2;base64,${font}) format("woff2")}`;
    });
  return svg.replace(/^<svg[^>]*>/, `$&<style>${(await Promise.all(faces)).join("")}</style>`);
}
