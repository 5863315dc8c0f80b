import type { GraphColumn } from "../../compiler/index.ts";
import type { MemoryCategory, StepLabel } from "../../memory/index.ts";

/** The phases of a training step. */
export type Phase = StepLabel["phase"];

/** Every colour a figure may use. Categories, columns and phases keep theirs in all figures. */
export interface Theme {
  readonly name: "light" | "dark";
  /** The card that a figure lies on, and its outline. */
  readonly card: string;
  readonly outline: string;
  /** A second surface: bands behind rows, empty cells. */
  readonly band: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly axis: string;
  /** What a reader must not miss: the peak, a wrong prediction. */
  readonly accent: string;
  readonly categories: Readonly<Record<MemoryCategory, string>>;
  readonly columns: Readonly<Record<GraphColumn, string>>;
  readonly phases: Readonly<Record<Phase, string>>;
  /** Colours of unnamed series, in order of use. */
  readonly series: readonly string[];
  /** From nothing to much, for matrices and images. */
  readonly ramp: readonly [string, string, string];
  /** What captions call both ends of it. */
  readonly rampNames: readonly [string, string];
}

// The colours were searched for in the hues we wanted so that any two of a set stay apart for normal sight and for
// the three kinds of colour blindness (Machado, Oliveira and Fernandes, "A physiologically-based model for simulation
// of color vision deficiency", 2009). The test of this file measures it.
export const lightTheme: Theme = {
  name: "light",
  card: "#fdfdfc",
  outline: "#dcdfe3",
  band: "#f3f4f6",
  text: "#1d2430",
  muted: "#5d6675",
  grid: "#e6e8ec",
  axis: "#aab1bc",
  accent: "#c81e4a",
  categories: {
    weights: "#412d87",
    optimizer: "#c592ed",
    inputs: "#a9bfcc",
    activations: "#06738b",
    gradients: "#eb7555",
    workspace: "#eabe34",
  },
  columns: {
    forward: "#06738b",
    "input gradient": "#eb7555",
    "weight gradient": "#99183d",
    update: "#412d87",
  },
  phases: { forward: "#06738b", backward: "#eb7555", update: "#412d87" },
  series: ["#1876b0", "#ea5b40", "#1e308f", "#dfc027", "#8a4065", "#6cc98b", "#9ca0af"],
  ramp: ["#f3f6f8", "#6fb3c4", "#0b3f54"],
  rampNames: ["pale", "dark"],
};

export const darkTheme: Theme = {
  name: "dark",
  card: "#15181e",
  outline: "#2c323c",
  band: "#1c2028",
  text: "#e8eaee",
  muted: "#9aa4b2",
  grid: "#272c35",
  axis: "#4b5462",
  accent: "#ff6b8b",
  categories: {
    weights: "#6c63da",
    optimizer: "#e5cffe",
    inputs: "#969a9d",
    activations: "#0499c0",
    gradients: "#db6c42",
    workspace: "#f2c844",
  },
  columns: {
    forward: "#0499c0",
    "input gradient": "#ee8258",
    "weight gradient": "#d8446b",
    update: "#7d74ea",
  },
  phases: { forward: "#0499c0", backward: "#ee8258", update: "#7d74ea" },
  series: ["#5faff0", "#fc785e", "#6263cc", "#f3bd32", "#a25fa2", "#acddb8", "#949494"],
  ramp: ["#1b222b", "#2c7f96", "#c8f0f7"],
  rampNames: ["dark", "bright"],
};

export const themes: Readonly<Record<Theme["name"], Theme>> = { light: lightTheme, dark: darkTheme };

/** The family that figures are lettered in, with what a browser may use until it has loaded. */
export const fontFamily = "Inter, 'Inter Variable', system-ui, sans-serif";

/** Black or white, whichever reads better on `background` (relative luminance after WCAG 2.2). */
export function inkOn(background: string): "#ffffff" | "#14181f" {
  const channels = [1, 3, 5].map((start) => Number.parseInt(background.slice(start, start + 2), 16) / 255);
  const [red, green, blue] = channels.map((channel) =>
    channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4,
  );
  // 0.2 rather than the break-even point 0.18: white on a mid tone looks crisper at small sizes.
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.2 ? "#14181f" : "#ffffff";
}
