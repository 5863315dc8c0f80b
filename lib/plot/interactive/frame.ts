import { fontFamily, type Theme } from "../look/theme.ts";
import { createElement, widest } from "./controls.ts";

/**
 * A card with a heading, its title and below it facts, and an empty bar for controls; views put their own parts behind.
 */
export function createFrame(
  theme: Theme,
  title: string,
  facts: string,
): Readonly<Record<"card" | "caption" | "bar", HTMLElement>> {
  const card = createElement("section", {
    background: theme.card,
    color: theme.text,
    border: `1px solid ${theme.outline}`,
    borderRadius: "10px",
    font: `12px/1.5 ${fontFamily}`,
    overflow: "hidden",
    maxWidth: widest,
  });
  card.setAttribute("aria-label", title);
  const heading = createElement("div", { padding: "16px 24px 0" });
  const caption = createElement("div", { color: theme.muted, whiteSpace: "pre-line" }, facts);
  heading.append(createElement("div", { fontSize: "17px", fontWeight: "600" }, title), caption);
  const bar = createElement("div", {
    display: "flex",
    flexWrap: "wrap",
    gap: "6px",
    alignItems: "center",
    padding: "10px 24px",
  });
  card.append(heading, bar);
  return { card, caption, bar };
}
