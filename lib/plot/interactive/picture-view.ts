import { drawCard, type Picture } from "../look/canvas.ts";
import type { Theme } from "../look/theme.ts";

/** A picture that answers to nothing but the theme; it stays as large as it was drawn, unless the page is narrower. */
export function mountPicture(container: HTMLElement, picture: Picture, summary: string, theme: Theme): void {
  const svg = drawCard(document, picture, theme, summary);
  Object.assign(svg.style, { maxWidth: "100%", height: "auto", display: "block" });
  container.append(svg);
}
