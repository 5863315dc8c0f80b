// Keys that belong to the control that has the focus. Notebook 7 hears keys before the page's elements do, and in command
// mode takes the arrows for a walk through cells: a slider below a cell, Python's too, could not be moved by them.
// JupyterLab asks the elements first.

/** Found by Lumino on an element, it leaves the element's keys alone. */
const suppressed = "data-lm-suppress-shortcuts";

const arrows = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

/** Which keys a control understands, by what it is. */
const keysOf: readonly (readonly [selector: string, keys: readonly string[]])[] = [
  ['.jp-OutputArea [role="slider"]', [...arrows, "Home", "End", "PageUp", "PageDown"]],
  [".jp-OutputArea select", [...arrows, "Home", "End", "PageUp", "PageDown", "Enter", " "]],
  [".jp-OutputArea button", ["Enter", " "]],
  ['.jp-OutputArea input[type="checkbox"]', [" "]],
];

/** What is used of a page: its window, which hears a key before anything in it does. */
type Page = Pick<Window, "addEventListener">;

/** Lets controls in outputs have their keys, whatever the front end would use them for; all other keys stay its own. */
export function leaveKeysToControls(page: Page): void {
  page.addEventListener(
    "keydown",
    ({ target, key, altKey, ctrlKey, metaKey, shiftKey }) => {
      if (!(target instanceof Element)) return;
      const keys = keysOf.find(([selector]) => target.matches(selector))?.[1];
      if (keys === undefined) return;
      const isPlain = !altKey && !ctrlKey && !metaKey && !shiftKey;
      target.toggleAttribute(suppressed, isPlain && keys.includes(key));
    },
    true,
  );
}
