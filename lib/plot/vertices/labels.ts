import { textWidth } from "../look/font-metrics.ts";
import type { Blocks } from "./blocks.ts";
import type { Scene } from "./scene.ts";
import type { VertexSection } from "./vertex-graph.ts";

/** The name of a layer in a picture, its middle and baseline in pixels of the drawing. */
export interface LayerLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** Layers with fewer than this share of all vertices have no label; in training, only layers that learn have one. */
const leastShare = 0.003;
const mostLabels = 16;
const directions = 24;

/**
 * Chooses where the names of layers stand: beside their blocks, where the picture is darkest and no other name is.
 *
 * @param pixels red, green and blue of the whole picture
 * @param scale pixels of the picture for one of the drawing
 * @param size font size in pixels of the drawing
 */
export function placeLabels(
  sections: readonly VertexSection[],
  blocks: Blocks,
  scene: Scene,
  pixels: Uint8Array,
  scale: number,
  size: number,
): LayerLabel[] {
  const layers = new Map<string, { blocks: number[]; vertices: number }>();
  const partOf = mainParts(sections);
  for (let block = 0; block < blocks.count; block++) {
    const { layer, part } = sections[blocks.section[block]];
    const entry = layers.get(layer) ?? { blocks: [], vertices: 0 };
    if (partOf.get(layer) === part) entry.blocks.push(block);
    entry.vertices += blocks.starts[block + 1] - blocks.starts[block];
    layers.set(layer, entry);
  }
  const total = blocks.starts[blocks.count];
  const learning = new Set(sections.filter(({ part }) => part === "weight gradient").map(({ layer }) => layer));
  const shown = [...layers]
    .filter(([layer]) => layer !== "" && (learning.size === 0 || learning.has(layer)))
    .filter(([, { vertices }]) => vertices >= leastShare * total)
    .sort(([, a], [, b]) => b.vertices - a.vertices)
    .slice(0, mostLabels);
  const placed: LayerLabel[] = [];
  const boxes: { x: number; y: number; width: number }[] = [];
  for (const [text, { blocks: members }] of shown) {
    const width = textWidth(text, size, "semibold") + 8;
    const candidates = candidatesAround(members, scene, scale, width, size);
    let best: { x: number; y: number; cost: number } | undefined;
    for (const { x, y, away } of candidates) {
      const left = x - width / 2;
      const inside =
        left >= 4 && x + width / 2 <= scene.width / scale - 4 && y - size >= 4 && y <= scene.height / scale - 6;
      if (!inside) continue;
      const clash = boxes.some(
        (box) => Math.abs(box.x - x) < (box.width + width) / 2 && Math.abs(box.y - y) < size + 4,
      );
      if (clash) continue;
      const cost =
        brightness(pixels, scene, left * scale, (y - size) * scale, width * scale, (size + 4) * scale) + away * 0.2;
      if (best === undefined || cost < best.cost) best = { x, y, cost };
    }
    if (best === undefined) continue;
    placed.push({ text, x: best.x, y: best.y });
    boxes.push({ x: best.x, y: best.y, width });
  }
  return placed;
}

/** The part of each layer that has most vertices: its name stands there, since parts may lie far from each other. */
function mainParts(sections: readonly VertexSection[]): Map<string, VertexSection["part"]> {
  const sizes = new Map<string, number>();
  const main = new Map<string, VertexSection["part"]>();
  for (const { layer, part, start, end } of sections) {
    const name = `${layer}\n${part}`;
    const size = (sizes.get(name) ?? 0) + end - start;
    sizes.set(name, size);
    const known = main.get(layer);
    if (known === undefined || size > (sizes.get(`${layer}\n${known}`) ?? 0)) main.set(layer, part);
  }
  return main;
}

/** Places around a layer's blocks: in each direction just beyond the outermost nine tenths of them. */
function candidatesAround(
  members: readonly number[],
  { blockX, blockY }: Scene,
  scale: number,
  width: number,
  size: number,
): { x: number; y: number; away: number }[] {
  const middleX = members.reduce((sum, block) => sum + blockX[block], 0) / members.length / scale;
  const middleY = members.reduce((sum, block) => sum + blockY[block], 0) / members.length / scale;
  return Array.from({ length: directions }, (_, index) => {
    const angle = (2 * Math.PI * index) / directions;
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    const reaches = members
      .map((block) => (blockX[block] / scale - middleX) * cosine + (blockY[block] / scale - middleY) * sine)
      .sort((a, b) => a - b);
    const reach = reaches[Math.floor(0.96 * (reaches.length - 1))] + 10;
    return {
      x: middleX + cosine * (reach + width / 2),
      y: middleY + sine * (reach + size / 2) + size / 3,
      away: reach,
    };
  });
}

/** The mean brightness, from 0 to 255, of a rectangle of the picture. */
function brightness(
  pixels: Uint8Array,
  scene: Scene,
  left: number,
  top: number,
  width: number,
  height: number,
): number {
  let sum = 0;
  let count = 0;
  const step = 3;
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(scene.height, top + height); y += step) {
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(scene.width, left + width); x += step) {
      const at = 3 * (y * scene.width + x);
      sum += Math.max(pixels[at], pixels[at + 1], pixels[at + 2]);
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}
