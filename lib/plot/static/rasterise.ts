import { fileURLToPath } from "node:url";
import { type RenderedImage, Resvg } from "@resvg/resvg-js";
import { jpeg } from "./jpeg.ts";
import { palettePng } from "./palette-png.ts";

// From dist/lib/plot/static to the package's own folder: fonts lie beside the sources, where tsc does not copy them.
const assets = new URL("../../../../lib/plot/assets/", import.meta.url);
const fontFiles = ["inter-regular.ttf", "inter-semibold.ttf"].map((file) => fileURLToPath(new URL(file, assets)));

/** What the shipped font has letters for: the ranges of assets/README.md. */
const lettered = new RegExp(
  "^[\\s\\u0020-\\u017f\\u02c6-\\u02dd\\u0370-\\u03ff\\u0400-\\u045f\\u2010-\\u2027\\u2030-\\u203a\\u2070-\\u209c\\u20ac" +
    "\\u2113\\u2122\\u2190-\\u2199\\u2202\\u2206\\u2207\\u220f\\u2211\\u2212\\u2215\\u2219\\u221a\\u221e\\u222b\\u2248\\u2260\\u2264" +
    "\\u2265\\u22c5\\u22ee\\u22ef\\u25a0\\u25a1\\u25b2\\u25b6\\u25bc\\u25c0\\u25cf\\u25cb\\u2713\\u2717]*$",
  "u",
);

/**
 * Turns an SVG drawing into a PNG file. Only the shipped font is used, so the same drawing gives the same pixels on every
 * machine; the machine's own fonts are asked only for letters that it lacks, such as Chinese.
 */
export function rasterise(svg: string, scale: number): Uint8Array {
  const drawn = draw(svg, scale);
  return palettePng(drawn.pixels, drawn.width, drawn.height) ?? drawn.asPng();
}

/** Turns an SVG drawing into a JPEG file, on a colour of its own where it is transparent. */
export function rasteriseDense(svg: string, scale: number, quality: number, background: string): Uint8Array {
  const { pixels, width, height } = draw(svg, scale, background);
  return jpeg(pixels, width, height, 4, quality);
}

function draw(svg: string, scale: number, background?: string): RenderedImage {
  const image = new Resvg(svg, {
    ...(background !== undefined && { background }),
    // Pictures inside of the drawing are not read as letters.
    font: { loadSystemFonts: !lettered.test(svg.replace(/base64,[^"]*/g, "")), fontFiles, defaultFontFamily: "Inter" },
    fitTo: { mode: "zoom", value: scale },
  });
  return image.render();
}
