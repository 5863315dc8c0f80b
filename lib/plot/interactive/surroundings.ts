import { type Theme, themes } from "../look/theme.ts";

/** The theme that fits where the element stands: dark if the nearest painted background is. */
export function themeAround(element: Element): Theme {
  // Before an element is attached it has no surroundings; the page's body is the best guess.
  for (let node: Element | null = element.isConnected ? element : document.body; node; node = parentOf(node)) {
    const [red, green, blue, alpha] = channelsOf(getComputedStyle(node).backgroundColor);
    if (alpha < 128) continue;
    return themes[0.299 * red + 0.587 * green + 0.114 * blue < 128 ? "dark" : "light"];
  }
  // Nothing is painted: the page shows the browser's own canvas, which follows the declared scheme.
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  const dark = scheme.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches;
  return themes[dark ? "dark" : "light"];
}

/** Red, green, blue and alpha, from 0 to 255, of a colour in any notation that CSS has. */
function channelsOf(color: string): Uint8ClampedArray {
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}

function parentOf(node: Element): Element | null {
  if (node.parentElement) return node.parentElement;
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

/**
 * Calls back when the element's surroundings may have changed between light and dark: it was attached, or the system's
 * preference, an attribute of the page, as JupyterLab and most switches do, or a style sheet changed. Returns what ends
 * it.
 */
export function watchTheme(element: Element, changed: () => void): () => void {
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const attributes = new MutationObserver(changed);
  for (const node of [document.documentElement, document.body]) {
    attributes.observe(node, {
      attributes: true,
      attributeFilter: ["class", "style", "data-theme", "data-jp-theme-light", "data-jp-theme-name"],
    });
  }
  const places = new ResizeObserver(changed);
  places.observe(element);
  preference.addEventListener("change", changed);
  // Backgrounds may fade, so that colours settle a little after the attribute.
  document.addEventListener("transitionend", changed);
  const styles = new MutationObserver(changed);
  styles.observe(document.head, { childList: true });
  return () => {
    preference.removeEventListener("change", changed);
    document.removeEventListener("transitionend", changed);
    places.disconnect();
    attributes.disconnect();
    styles.disconnect();
  };
}
