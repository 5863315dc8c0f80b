import { DOMParser } from "linkedom";

/** Draws into a document made without a browser, and writes the element out as XML. */
export function drawInDocument(draw: (document: Document) => SVGSVGElement): string {
  // A document of SVG rather than of HTML: only XML escapes everything in attributes that a strict parser stumbles over.
  const document = new DOMParser().parseFromString('<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml");
  return draw(document as unknown as Document).outerHTML;
}
