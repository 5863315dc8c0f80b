// Graphs of vertices whose counts are known: layers in which every vertex reads some of the layer before.
import type { VertexGraph, VertexSection } from "../../../lib/plot/index.ts";

/** Layers of `width` vertices; forward each reads `fan` neighbours of the layer before, and as many go back. */
export function sampleVertices(layers: number, width: number, fan: number): VertexGraph {
  const sections: VertexSection[] = [];
  const starts = [0];
  const producers: number[] = [];
  const layer = (name: string, part: VertexSection["part"], from: number | null): number => {
    const start = starts.length - 1;
    for (let vertex = 0; vertex < width; vertex++) {
      if (from !== null) for (let step = 0; step < fan; step++) producers.push(from + ((vertex + step) % width));
      starts.push(producers.length);
    }
    sections.push({ layer: name, part, codelet: "Sum", start, end: start + width });
    return start;
  };
  let last: number | null = null;
  for (let index = 1; index <= layers; index++) last = layer(`dense${index}`, "forward", last);
  for (let index = layers; index >= 1; index--) last = layer(`dense${index}`, "input gradient", last);
  return {
    kind: "vertex-graph",
    title: "sample",
    vertexCount: starts.length - 1,
    sections,
    edges: [{ firstVertex: 0, starts: Uint32Array.from(starts), producers: Uint32Array.from(producers) }],
  };
}
