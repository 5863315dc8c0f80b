import { parseHTML } from "linkedom";

/** Draws into a document made without a browser, and writes the element out. */
export function drawInDocument(draw: (document: Document) => SVGSVGElement): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  return draw(document as unknown as Document).outerHTML;
}
