import { type Canvas, drawLine, drawText, fontSize } from "../look/canvas.ts";
import { fitText, textWidth } from "../look/font-metrics.ts";
import type { Theme } from "../look/theme.ts";
import { tickText } from "./axis.ts";
import type { LineMark, Panel } from "./chart.ts";
import { isPlaceable, type Plane } from "./draw-marks.ts";
import { seriesColor } from "./series-color.ts";

/** The name of a line with its last value, to stand at the line's end: a legend that needs no looking up. */
interface EndLabel {
  readonly mark: LineMark;
  readonly name: string;
  readonly value: string;
}

/** The most that a name takes: so many pixels, or a share of a wide panel. */
const widestName = { pixels: 130, share: 0.25 };
/** Pixels from one label to the next, at least. */
export const endLabelHeight = 17;

/** A label for every named line of a panel that is so many pixels wide. */
export function endLabels(panel: Panel, width: number): EndLabel[] {
  const widest = Math.max(widestName.pixels, widestName.share * width);
  return panel.marks
    .filter((mark) => mark.kind === "line" && mark.name !== "" && !mark.faint)
    .map((mark) => mark as LineMark)
    .map((mark) => {
      const last = mark.y.findLast((value) => Number.isFinite(value) && (panel.y.scale !== "log" || value > 0));
      return {
        mark,
        name: fitText(mark.name, widest, fontSize.body, "semibold"),
        value: last === undefined ? "" : tickText(last, panel.y.unit),
      };
    });
}

/** Pixels to keep free at the right of the panel. */
export function endLabelWidth(labels: readonly EndLabel[]): number {
  const widths = labels.map(
    ({ name, value }) => textWidth(name, fontSize.body, "semibold") + 6 + textWidth(value, fontSize.body),
  );
  return Math.ceil(Math.max(...widths)) + 24;
}

/** Writes the labels beside the ends of their lines, moved apart where they would overlap. */
export function drawEndLabels(canvas: Canvas, labels: readonly EndLabel[], plane: Plane, theme: Theme): void {
  const right = plane.box.x + plane.box.width;
  const ends = labels.flatMap(({ mark, name, value }) => {
    const index = mark.x.findLastIndex((x, position) => isPlaceable(plane, x, mark.y[position]));
    if (index < 0) return [];
    const end = { x: plane.x.place(mark.x[index]), y: plane.y.place(mark.y[index]) };
    return [{ mark, name, value, end }];
  });
  ends.sort((a, b) => a.end.y - b.end.y);
  const middles = moveApart(
    ends.map(({ end }) => end.y),
    endLabelHeight,
    plane.box.y,
    plane.box.y + plane.box.height,
  );
  ends.forEach(({ mark, name, value, end }, index) => {
    const color = seriesColor(theme, mark.color);
    const y = middles[index];
    // A short leader joins the line's end to its label.
    drawLine(canvas, [end.x + 4, end.y], [right + 12, y], color, { width: 1 });
    drawText(canvas, name, right + 16, y + 4, { weight: "semibold", fill: theme.text });
    drawText(canvas, value, right + 22 + textWidth(name, fontSize.body, "semibold"), y + 4, { fill: theme.muted });
  });
}

/** Moves sorted positions to be at least `distance` apart and between `low` and `high`, as little as it can. */
export function moveApart(positions: readonly number[], distance: number, low: number, high: number): number[] {
  const moved = [...positions];
  for (let index = 0; index < moved.length; index++) {
    const least = index === 0 ? low : moved[index - 1] + distance;
    moved[index] = Math.max(moved[index], least);
  }
  for (let index = moved.length - 1; index >= 0; index--) {
    const most = index === moved.length - 1 ? high : moved[index + 1] - distance;
    moved[index] = Math.min(moved[index], most);
  }
  return moved;
}
