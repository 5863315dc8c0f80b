/** Moves what is shown with the pointer while its button is down. */
export function dragToScroll(view: HTMLElement): void {
  let last: PointerEvent | null = null;
  view.addEventListener("pointerdown", (event) => {
    // Fingers scroll by themselves.
    if (event.button !== 0 || event.pointerType === "touch") return;
    last = event;
  });
  view.addEventListener("pointermove", (event) => {
    if (!last || (event.buttons & 1) === 0) {
      last = null;
      view.style.cursor = "grab";
      return;
    }
    view.style.cursor = "grabbing";
    view.scrollBy(last.clientX - event.clientX, last.clientY - event.clientY);
    last = event;
  });
}
