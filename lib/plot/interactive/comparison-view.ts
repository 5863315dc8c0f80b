import { pointer, select } from "d3";
import { type Canvas, drawCard, drawLine } from "../look/canvas.ts";
import { formatBytes, formatPercent } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";
import {
  comparisonBoxes,
  comparisonPicture,
  comparisonSummary,
  type MemoryComparison,
} from "../memory/compare-picture.ts";
import { categoryNames, compositionAt, stepName } from "../memory/composition.ts";
import { widest } from "./controls.ts";
import { createTooltip, type TooltipLine } from "./tooltip.ts";

/** The comparison that follows the pointer: a step of any report tells what it consists of. */
export function mountComparison(container: HTMLElement, comparison: MemoryComparison, theme: Theme): void {
  const svg = drawCard(document, comparisonPicture(comparison), theme, comparisonSummary(comparison));
  Object.assign(svg.style, { width: "100%", maxWidth: widest, height: "auto", display: "block" });
  container.append(svg);
  const tooltip = createTooltip(container, theme);
  const body = select(svg).select("[data-part=body]") as unknown as Canvas;
  const cursor = body.append("g").attr("pointer-events", "none") as Canvas;
  const { boxes } = comparisonBoxes(comparison);
  const clear = (): void => {
    cursor.selectAll("*").remove();
    tooltip.hide();
  };
  svg.addEventListener("pointermove", (event) => {
    clear();
    const [x, y] = pointer(event, body.node());
    const index = boxes.findIndex(
      (box) => x >= box.x && x < box.x + box.width && y >= box.y && y <= box.y + box.height + 16,
    );
    if (index < 0) return;
    const box = boxes[index];
    const { name, report } = comparison.entries[index];
    const step = Math.floor(((x - box.x) / box.width) * report.steps.length);
    const middle = box.x + ((step + 0.5) * box.width) / report.steps.length;
    drawLine(cursor, [middle, box.y], [middle, box.y + box.height], theme.text, { width: 1.25 });
    const { totalBytes, categories } = compositionAt(report, step);
    const lines: TooltipLine[] = [`${stepName(report, step)}: ${report.steps[step].name}`];
    for (const { category, bytes } of [...categories].reverse()) {
      lines.push([categoryNames[category], `${formatBytes(bytes)}, ${formatPercent(bytes / totalBytes)}`]);
    }
    tooltip.show(event, `${name}: ${formatBytes(totalBytes)}`, lines);
  });
  svg.addEventListener("pointerleave", clear);
}
