import { hsl } from "d3";
import type { GraphColumn } from "../../compiler/index.ts";
import type { VertexSection } from "./vertex-graph.ts";

type Color = readonly [red: number, green: number, blue: number];

/** Hues in degrees from the first layer to the last. They glow on black, and are told apart by the labels as well. */
const hues: Readonly<Record<GraphColumn, readonly [first: number, last: number]>> = {
  forward: [180, 246],
  "input gradient": [338, 296],
  "weight gradient": [30, 64],
  update: [112, 142],
};

/** How far the hue of a section turns from its first vertex to its last, in degrees. */
const iridescence = 34;

/** Red, green and blue from 0 to 255 of a part of the network, `depth` from 0 for the first layer to 1 for the last. */
export function partColor(part: GraphColumn, depth: number, within = 0.5): Color {
  const [first, last] = hues[part];
  const { r, g, b } = hsl(first + (last - first) * depth + (within - 0.5) * iridescence, 1, 0.5).rgb();
  return [Math.round(r), Math.round(g), Math.round(b)];
}

/** The colours of sections: the hue says the part, its shade the layer; `within` goes from 0 to 1 along a section. */
export function unitColors(sections: readonly VertexSection[]): (section: number, within: number) => Color {
  // Layers in the order in which a network is passed through: that of their forward part.
  const layers = [...new Set(sections.map(({ layer }) => layer))];
  const depthOf = new Map(
    layers.map((layer, index) => [layer, layers.length === 1 ? 0.5 : index / (layers.length - 1)]),
  );
  return (section, within) => {
    const { layer, part } = sections[section];
    return partColor(part, depthOf.get(layer)!, within);
  };
}
