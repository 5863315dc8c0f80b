import { darkTheme, lightTheme, type Theme } from "../look/theme.ts";
import { widest } from "./controls.ts";

/** What is used of plotly. */
export interface Plotly {
  react(element: HTMLElement, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
  purge(element: HTMLElement): void;
  readonly Plots: { resize(element: HTMLElement): unknown };
}

interface StoredFigure {
  readonly data?: unknown;
  readonly layout?: unknown;
  readonly config?: unknown;
}

/** Lets plotly draw a stored figure in the colours of the theme, and keeps its width. Returns what ends it. */
export async function mountChart(
  container: HTMLElement,
  stored: unknown,
  theme: Theme,
  plotly: Plotly,
): Promise<() => void> {
  const figure = (theme.name === "dark" ? exchangeColors(stored) : stored) as StoredFigure;
  const element = document.createElement("div");
  Object.assign(element.style, {
    border: `1px solid ${theme.outline}`,
    borderRadius: "10px",
    overflow: "hidden",
    maxWidth: widest,
    background: theme.card,
  });
  container.append(element);
  // A copy: plotly writes into what it is given, and this may be the notebook's own.
  const { data, layout, config } = structuredClone(figure);
  await plotly.react(element, data ?? [], withFineSpacing(layout ?? {}), {
    displaylogo: false,
    ...(config as object),
    // Plotly listens to the window only; the observer below hears of panels that are dragged wider too.
    responsive: false,
  });
  const sizes = new ResizeObserver(() => {
    if (element.offsetWidth > 0) plotly.Plots.resize(element);
  });
  sizes.observe(element);
  return () => {
    sizes.disconnect();
    plotly.purge(element);
  };
}

/** What is read of a layout. */
interface Layout {
  readonly title?: { readonly subtitle?: { readonly text?: string } };
  readonly margin?: object;
  readonly showlegend?: boolean;
  readonly annotations?: readonly unknown[];
}

/** The same layout with the names of upright axes clear of their ticks, however long, and without room for lines that it has not. */
function withFineSpacing(layout: object): object {
  const { title, margin, showlegend, annotations } = layout as Layout;
  const entries = Object.entries(layout).map(([key, value]) =>
    key.startsWith("yaxis") ? [key, { ...value, title: { standoff: 12, ...value.title } }] : [key, value],
  );
  if (title?.subtitle?.text !== "" || margin === undefined) return Object.fromEntries(entries);
  const above = showlegend === true || (annotations ?? []).length > 0 ? 74 : 56;
  return { ...Object.fromEntries(entries), margin: { ...margin, t: above } };
}

/** Every colour of the light theme and its twin of the dark one, by the lower-case digits. */
const darkTwins = pairColors(lightTheme, darkTheme, new Map());

function pairColors(light: unknown, dark: unknown, pairs: Map<string, string>): Map<string, string> {
  if (typeof light === "string" && typeof dark === "string") {
    if (light.startsWith("#")) pairs.set(light, dark);
  } else if (typeof light === "object" && light !== null) {
    for (const key of Object.keys(light)) {
      pairColors((light as Record<string, unknown>)[key], (dark as Record<string, unknown>)[key], pairs);
    }
  }
  return pairs;
}

/** The same figure with our light colours exchanged for their dark twins; other colours stay. */
function exchangeColors(value: unknown): unknown {
  if (typeof value === "string") {
    const twin = value.startsWith("#") ? darkTwins.get(value.slice(0, 7).toLowerCase()) : undefined;
    return twin === undefined ? value : twin + value.slice(7);
  }
  // Long lists are numbers, and need not be walked through.
  if (Array.isArray(value)) return value.length > 8 && typeof value[0] === "number" ? value : value.map(exchangeColors);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, exchangeColors(member)]));
  }
  return value;
}
