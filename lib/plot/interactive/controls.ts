import type { Theme } from "../look/theme.ts";

/** Figures grow with the page up to here, where their letters are a little larger than the page's. */
export const widest = "1100px";

/** A new element with styles of its own; the page's style sheets do not reach into a figure. */
export function createElement<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  style: Partial<CSSStyleDeclaration>,
  text = "",
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  Object.assign(element.style, style);
  if (text !== "") element.textContent = text;
  return element;
}

const controlStyle = (theme: Theme): Partial<CSSStyleDeclaration> => ({
  font: "inherit",
  color: theme.text,
  background: theme.band,
  border: `1px solid ${theme.outline}`,
  borderRadius: "6px",
  padding: "3px 10px",
});

export function createButton(theme: Theme, text: string, title: string, press: () => void): HTMLButtonElement {
  const button = createElement("button", { ...controlStyle(theme), cursor: "pointer" }, text);
  button.type = "button";
  button.title = title;
  button.setAttribute("aria-label", title);
  button.addEventListener("click", press);
  return button;
}

/** The place of a figure's buttons: its upper right corner. */
export function createButtonRow(): HTMLDivElement {
  const row = createElement("div", { position: "absolute", top: "14px", right: "20px", display: "flex", gap: "6px" });
  row.style.font = "12px/1.4 Inter, system-ui, sans-serif";
  return row;
}

/** A search field; `enter` is called for the return key. */
export function createField(
  theme: Theme,
  hint: string,
  input: (text: string) => void,
  enter: () => void,
): HTMLInputElement {
  const field = createElement("input", { ...controlStyle(theme), width: "270px", maxWidth: "100%" });
  field.type = "search";
  field.placeholder = hint;
  field.setAttribute("aria-label", hint);
  field.addEventListener("input", () => input(field.value));
  field.addEventListener("keydown", (event) => {
    // A notebook would take single letters for its own commands.
    event.stopPropagation();
    if (event.key === "Enter") enter();
  });
  return field;
}
