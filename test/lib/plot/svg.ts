// What tests ask of any drawing: it parses, has no undefined number, and no text leaves the card or lies on another.
import { parseHTML } from "linkedom";
import * as assert from "uvu/assert";
import { textWidth } from "../../../lib/plot/look/font-metrics.ts";

interface DrawnText {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Parses an SVG drawing. */
function parseSvg(svg: string): SVGSVGElement {
  const { document } = parseHTML(`<!doctype html><html><body>${svg}</body></html>`);
  const element = document.querySelector("svg");
  assert.ok(element, "the drawing is an svg element");
  return element as unknown as SVGSVGElement;
}

function translationOf(element: Element): { x: number; y: number; turned: boolean } {
  let x = 0;
  let y = 0;
  let turned = false;
  for (let node: Element | null = element; node; node = node.parentElement) {
    const transform = node.getAttribute("transform") ?? "";
    const shift = /translate\(([-\d.]+),([-\d.]+)\)/.exec(transform);
    if (shift) {
      x += Number(shift[1]);
      y += Number(shift[2]);
    }
    if (transform.includes("rotate")) turned = true;
  }
  return { x, y, turned };
}

/** The rectangles of all level texts, after the shipped font's widths. */
function textsOf(svg: SVGSVGElement): DrawnText[] {
  return [...svg.querySelectorAll("text")].flatMap((node) => {
    const { x, y, turned } = translationOf(node);
    if (turned) return [];
    const size = Number(node.getAttribute("font-size"));
    const weight = node.getAttribute("font-weight") === "600" ? "semibold" : "regular";
    const text = [...node.childNodes]
      .filter(({ nodeType }) => nodeType === 3)
      .map(({ textContent }) => textContent)
      .join("");
    const width = textWidth(text, size, weight);
    const anchor = node.getAttribute("text-anchor") ?? "start";
    const left = x + Number(node.getAttribute("x")) - (anchor === "end" ? width : anchor === "middle" ? width / 2 : 0);
    const baseline = y + Number(node.getAttribute("y"));
    return [{ text, left, right: left + width, top: baseline - 0.74 * size, bottom: baseline + 0.2 * size }];
  });
}

/** Fails unless the drawing is sound. */
export function assertSoundDrawing(markup: string): SVGSVGElement {
  assert.not.match(markup, /NaN|undefined|Infinity|null/);
  const svg = parseSvg(markup);
  const [, , width, height] = svg.getAttribute("viewBox")!.split(" ").map(Number);
  assert.ok(width > 100 && height > 50, "the card has a size");
  const texts = textsOf(svg);
  assert.ok(texts.length > 0, "the drawing is lettered");
  for (const { text, left, right, top, bottom } of texts) {
    const inside = left >= 0 && right <= width && top >= 0 && bottom <= height;
    assert.ok(inside, `"${text}" stands inside of the card: ${left.toFixed(1)} to ${right.toFixed(1)} of ${width}`);
  }
  texts.forEach((one, index) => {
    for (const other of texts.slice(index + 1)) {
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      assert.ok(across <= 0.5 || down <= 0.5, `"${one.text}" and "${other.text}" do not lie on each other`);
    }
  });
  return svg;
}

/** Width and height from the header of a PNG file. */
export function pngSize(bytes: Uint8Array): { width: number; height: number } {
  assert.equal([...bytes.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10], "the file begins as a PNG");
  const header = new DataView(bytes.buffer, bytes.byteOffset + 16, 8);
  return { width: header.getUint32(0), height: header.getUint32(4) };
}
