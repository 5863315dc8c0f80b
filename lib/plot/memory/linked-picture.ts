import type { GraphReport } from "../../compiler/index.ts";
import type { MemoryReport } from "../../memory/index.ts";
import { graphPicture } from "../graph/graph-picture.ts";
import { type Canvas, drawText, fontSize, type Picture } from "../look/canvas.ts";
import type { StoredWindow } from "./memory-levels.ts";
import { memoryPicture } from "./memory-picture.ts";
import type { MemoryWindow } from "./window-data.ts";

/** The memory of a program and the graph of its operators, to be looked at together. */
export interface LinkedMemory {
  readonly kind: "memory-and-graph";
  readonly memory: MemoryReport | StoredWindow;
  readonly graph: GraphReport;
}

const gap = 34;

/** Both pictures, one below the other. */
export function linkedPicture(window: MemoryWindow, graph: GraphReport): Picture {
  const above = memoryPicture(window);
  const below = graphPicture(graph);
  return {
    title: window.title === "" ? "Memory and operators" : `Memory and operators: ${window.title}`,
    subtitle: [above.subtitle, below.subtitle].join("\n"),
    width: Math.max(above.width, below.width),
    draw(canvas, theme) {
      const height = above.draw(canvas, theme);
      drawText(canvas, "The operators of the same steps", 0, height + gap - 8, {
        size: fontSize.heading,
        weight: "semibold",
        fill: theme.text,
      });
      const part = canvas.append("g").attr("transform", `translate(0,${height + gap})`) as Canvas;
      return height + gap + below.draw(part, theme);
    },
  };
}
