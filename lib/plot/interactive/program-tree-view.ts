import type { ProgramNode, ProgramTree } from "../../simulator/index.ts";
import { drawCard } from "../look/canvas.ts";
import type { Theme } from "../look/theme.ts";
import { chooseOpenParts } from "../machine/program-tree.ts";
import { describePart, treePicture, treeSummary } from "../machine/program-tree-picture.ts";
import { createElement, widest } from "./controls.ts";
import { createTooltip } from "./tooltip.ts";

/** What the reader did to the view; it outlives a change of theme. */
export interface TreeViewState {
  open?: Set<string>;
}

const firstRows = 30;

/** The program as a tree that opens and closes by clicks; a part under the pointer tells what it took. */
export function mountProgramTree(container: HTMLElement, tree: ProgramTree, theme: Theme, state: TreeViewState): void {
  state.open ??= chooseOpenParts(tree, firstRows);
  const { open } = state;
  const view = createElement("div", { maxWidth: widest });
  container.append(view);
  const tooltip = createTooltip(container, theme);
  const draw = (): void => {
    const svg = drawCard(document, treePicture(tree, open), theme, treeSummary(tree));
    Object.assign(svg.style, { width: "100%", height: "auto", display: "block" });
    for (const row of svg.querySelectorAll<SVGElement>("[data-row]")) {
      if (partAt(tree, row.dataset.path!).parts.length === 0) continue;
      row.style.cursor = "pointer";
      row.setAttribute("role", "button");
      row.setAttribute("tabindex", "0");
      row.setAttribute("aria-expanded", String(open.has(row.dataset.path!)));
    }
    view.replaceChildren(svg);
  };
  const toggle = (path: string): void => {
    if (partAt(tree, path).parts.length === 0) return;
    if (!open.delete(path)) open.add(path);
    tooltip.hide();
    draw();
  };
  const pathAt = (event: Event): string | undefined =>
    (event.target as Element).closest<SVGElement>("[data-path]")?.dataset.path;
  view.addEventListener("click", (event) => {
    const path = pathAt(event);
    if (path !== undefined) toggle(path);
  });
  view.addEventListener("keydown", (event) => {
    const path = pathAt(event);
    if (path === undefined || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    // A notebook has commands of its own for these keys.
    event.stopPropagation();
    toggle(path);
    view.querySelector<SVGElement>(`[data-row][data-path="${path}"]`)?.focus();
  });
  view.addEventListener("pointermove", (event) => {
    const path = pathAt(event);
    if (path === undefined) return tooltip.hide();
    const node = partAt(tree, path);
    tooltip.show(event, node.name === "" ? node.kind : node.name, [node.kind, ...describePart(tree, node)]);
  });
  view.addEventListener("pointerleave", () => tooltip.hide());
  draw();
}

/** The part at a path of `treeRows`. */
function partAt({ root, functions }: ProgramTree, path: string): ProgramNode {
  const [first, ...places] = path.split("/");
  const start = first === "program" ? root : functions[Number(first.slice("function ".length))].body;
  return places.reduce((node, place) => node.parts[Number(place)], start);
}
