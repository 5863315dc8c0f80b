import type { Theme } from "../look/theme.ts";
import type { LinkedMemory } from "../memory/linked-picture.ts";
import { createElement } from "./controls.ts";
import { type GraphHandle, type GraphViewState, mountGraph } from "./graph-view.ts";
import type { Ask } from "./memory-source.ts";
import { type MemoryViewState, mountMemory } from "./memory-view.ts";

interface LinkedViewState {
  readonly memory?: MemoryViewState;
  readonly graph?: GraphViewState;
}

/**
 * Memory above, operators below, one cursor through both: a step under the pointer marks the operators that it executes,
 * an operator under the pointer shows the step in which it runs.
 */
export function mountLinked(
  container: HTMLElement,
  linked: LinkedMemory,
  theme: Theme,
  state: object,
  ask?: Ask,
): void {
  const kept = state as { -readonly [Part in keyof LinkedViewState]: LinkedViewState[Part] };
  kept.memory ??= {};
  kept.graph ??= {};
  // Each in a place of its own, as tooltips keep inside of where their view stands.
  const place = (): HTMLElement => {
    const part = createElement("div", { position: "relative", marginBottom: "10px" });
    container.append(part);
    return part;
  };
  let operators: GraphHandle | undefined;
  let led: "memory" | "graph" | null = null;
  /** Lets one view lead the other, which then does not lead back. */
  const lead = (leader: "memory" | "graph", follow: () => void): void => {
    if (led !== null && led !== leader) return;
    led = leader;
    follow();
    led = null;
  };
  const memory = mountMemory(place(), linked.memory, theme, kept.memory, ask, (operations) =>
    lead("memory", () => operators?.mark(operations)),
  );
  operators = mountGraph(place(), linked.graph, theme, kept.graph, (operations) =>
    lead("graph", () => memory.show(operations)),
  );
}
