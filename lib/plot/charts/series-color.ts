import type { MemoryCategory } from "../../memory/index.ts";
import { lightTheme, type Theme } from "../look/theme.ts";
import type { MarkColor } from "./chart.ts";

/** The colour of a mark; after its last colour the palette begins again. */
export function seriesColor(theme: Theme, color: MarkColor): string {
  return typeof color === "number" ? theme.series[color % theme.series.length] : theme.categories[color];
}

/** Colours for series in order. Series that are all named after memory categories have the colours of those. */
export function chooseColors(names: readonly string[]): MarkColor[] {
  const isCategory = (name: string): name is MemoryCategory => name in lightTheme.categories;
  return names.every(isCategory) ? [...names] : names.map((_, index) => index);
}
