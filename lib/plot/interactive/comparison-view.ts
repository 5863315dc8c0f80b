import { pointer, select } from "d3";
import { type Canvas, drawCard, drawLine } from "../look/canvas.ts";
import type { Theme } from "../look/theme.ts";
import {
  comparisonBoxes,
  comparisonPicture,
  comparisonSummary,
  describeMoment,
  type MemoryComparison,
  matchingColumn,
} from "../memory/compare-picture.ts";
import { columnAt, nameStep } from "../memory/composition.ts";
import { widest } from "./controls.ts";
import { createTooltip } from "./tooltip.ts";

/**
 * The comparison that follows the pointer: a cursor in every panel stands where its program does what the one under the
 * pointer does, and all tell what they hold there.
 */
export function mountComparison(container: HTMLElement, comparison: MemoryComparison, theme: Theme): void {
  const svg = drawCard(document, comparisonPicture(comparison), theme, comparisonSummary(comparison));
  Object.assign(svg.style, { width: "100%", maxWidth: widest, height: "auto", display: "block" });
  container.append(svg);
  const tooltip = createTooltip(container, theme);
  const body = select(svg).select("[data-part=body]") as unknown as Canvas;
  const cursor = body.append("g").attr("pointer-events", "none").attr("data-part", "cursor") as Canvas;
  const { boxes } = comparisonBoxes(comparison);
  const clear = (): void => {
    cursor.selectAll("*").remove();
    tooltip.hide();
  };
  svg.addEventListener("pointermove", (event) => {
    clear();
    const [x, y] = pointer(event, body.node());
    const pointed = boxes.findIndex(
      (box) => x >= box.x && x < box.x + box.width && y >= box.y && y <= box.y + box.height + 16,
    );
    if (pointed < 0) return;
    const box = boxes[pointed];
    const { memory } = comparison.entries[pointed];
    const column = memory.columns[columnAt(memory, Math.floor(((x - box.x) / box.width) * memory.stepCount))];
    const moments = comparison.entries.map(({ memory: other }, index) =>
      index === pointed ? memory.columns.indexOf(column) : matchingColumn(memory, column, other),
    );
    moments.forEach((moment, index) => {
      const { columns, stepCount } = comparison.entries[index].memory;
      const { x: left, y: top, width, height } = boxes[index];
      const middle = left + ((columns[moment].step + 0.5) * width) / stepCount;
      // A pale line under the dark one keeps it visible on any area.
      drawLine(cursor, [middle, top], [middle, top + height], theme.card, { width: 3.5 });
      drawLine(cursor, [middle, top], [middle, top + height], theme.text, { width: 1.25 });
    });
    const heading = nameStep(column.step, column.label);
    tooltip.show(event, heading, [column.label.name, ...describeMoment(comparison, moments)]);
  });
  svg.addEventListener("pointerleave", clear);
}
