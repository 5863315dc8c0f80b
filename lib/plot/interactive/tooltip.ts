import type { Theme } from "../look/theme.ts";

/** A line of a tooltip: plain, or a name with its value. */
export type TooltipLine = string | readonly [name: string, value: string];

/** A box of text that follows the pointer inside of a container. */
export interface Tooltip {
  /** Shows the text beside a point of the page, on the side where there is room. */
  show(
    event: { readonly clientX: number; readonly clientY: number },
    heading: string,
    lines: readonly TooltipLine[],
  ): void;
  hide(): void;
}

/** Makes a tooltip for a container, which must be positioned. Text is only ever set as text. */
export function createTooltip(container: HTMLElement, theme: Theme): Tooltip {
  const box = document.createElement("div");
  box.setAttribute("role", "tooltip");
  Object.assign(box.style, {
    position: "absolute",
    zIndex: "2",
    visibility: "hidden",
    pointerEvents: "none",
    maxWidth: "340px",
    padding: "8px 11px",
    borderRadius: "7px",
    border: `1px solid ${theme.outline}`,
    background: theme.card,
    color: theme.text,
    boxShadow: theme.name === "dark" ? "0 4px 18px rgba(0,0,0,.6)" : "0 4px 18px rgba(20,30,50,.18)",
    font: "12px/1.5 Inter, system-ui, sans-serif",
  });
  container.append(box);
  return {
    show(event, heading, lines) {
      box.replaceChildren(headingElement(heading), ...lines.map((line) => lineElement(line, theme)));
      const frame = container.getBoundingClientRect();
      const { width, height } = box.getBoundingClientRect();
      const x = event.clientX - frame.left;
      const y = event.clientY - frame.top;
      const left = x + 16 + width > frame.width ? x - width - 12 : x + 16;
      const top = y + 16 + height > frame.height ? y - height - 10 : y + 14;
      box.style.left = `${Math.max(4, left)}px`;
      box.style.top = `${Math.max(4, top)}px`;
      box.style.visibility = "visible";
    },
    hide() {
      box.style.visibility = "hidden";
    },
  };
}

function headingElement(text: string): HTMLElement {
  const element = document.createElement("div");
  element.style.fontWeight = "600";
  element.textContent = text;
  return element;
}

function lineElement(line: TooltipLine, theme: Theme): HTMLElement {
  const element = document.createElement("div");
  if (typeof line === "string") {
    element.textContent = line;
    element.style.color = theme.muted;
    return element;
  }
  const [name, value] = line.map((text) => {
    const part = document.createElement("span");
    part.textContent = text;
    return part;
  });
  Object.assign(element.style, { display: "flex", justifyContent: "space-between", gap: "18px" });
  name.style.color = theme.muted;
  name.style.whiteSpace = "nowrap";
  value.style.textAlign = "right";
  value.style.overflowWrap = "anywhere";
  element.append(name, value);
  return element;
}
