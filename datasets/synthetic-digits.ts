import type { Dataset } from "../lib/formats/index.ts";
import { random, zeros } from "../lib/tensor/index.ts";
import type { Split } from "./split.ts";

/** The seven strokes of a digital watch in a unit square: from (x, y) to (x, y), y downward. */
const strokes = {
  top: [0, 0, 1, 0],
  upperRight: [1, 0, 1, 0.5],
  lowerRight: [1, 0.5, 1, 1],
  bottom: [0, 1, 1, 1],
  lowerLeft: [0, 0.5, 0, 1],
  upperLeft: [0, 0, 0, 0.5],
  middle: [0, 0.5, 1, 0.5],
} as const;

type Stroke = keyof typeof strokes;

const digits: readonly (readonly Stroke[])[] = [
  ["top", "upperRight", "lowerRight", "bottom", "lowerLeft", "upperLeft"],
  ["upperRight", "lowerRight"],
  ["top", "upperRight", "middle", "lowerLeft", "bottom"],
  ["top", "upperRight", "middle", "lowerRight", "bottom"],
  ["upperLeft", "middle", "upperRight", "lowerRight"],
  ["top", "upperLeft", "middle", "lowerRight", "bottom"],
  ["top", "upperLeft", "middle", "lowerRight", "bottom", "lowerLeft"],
  ["top", "upperRight", "lowerRight"],
  ["top", "upperRight", "lowerRight", "bottom", "lowerLeft", "upperLeft", "middle"],
  ["top", "upperRight", "lowerRight", "bottom", "upperLeft", "middle"],
];

/** How many digits, how large, and from which seed. */
export interface SyntheticDigitsOptions {
  readonly train?: number;
  readonly test?: number;
  /** Pixels along an edge; 28 unless told otherwise, as MNIST has. */
  readonly size?: number;
  readonly seed?: number;
}

/**
 * Digits of seven strokes, shifted, slanted, scaled and noisy: a stand-in for MNIST that needs no file.
 * The same seed gives the same bytes.
 */
export function syntheticDigits({ train = 1000, test = 200, size = 28, seed = 1 }: SyntheticDigitsOptions = {}): Split {
  return {
    train: draw("synthetic digits, train", train, size, seed, 0),
    test: draw("synthetic digits, test", test, size, seed, 1),
  };
}

function draw(name: string, count: number, size: number, seed: number, stream: number): Dataset {
  const source = random(seed, stream);
  const between = (low: number, high: number): number => low + (high - low) * source.nextUniform();
  const inputs = zeros([count, size, size], "uint8");
  const targets = zeros([count], "int32");
  for (let sample = 0; sample < count; sample++) {
    const digit = Math.floor(between(0, 10));
    targets.data[sample] = digit;
    const width = between(0.3, 0.45);
    const height = between(0.5, 0.65);
    const left = between(0.2, 0.8 - width);
    const top = between(0.12, 0.88 - height);
    const slant = between(-0.25, 0.25);
    const thickness = between(0.035, 0.06);
    const ink = between(180, 255);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const y = ((row + 0.5) / size - top) / height;
        const x = ((column + 0.5) / size - left) / width - slant * (0.5 - y);
        let distance = Number.POSITIVE_INFINITY;
        for (const stroke of digits[digit]) {
          distance = Math.min(distance, distanceTo(strokes[stroke], x, y, width, height));
        }
        const edge = Math.min(1, Math.max(0, (thickness - distance) * size + 0.5));
        const noise = between(0, 24);
        inputs.data[(sample * size + row) * size + column] = Math.min(255, Math.round(ink * edge + noise));
      }
    }
  }
  const classes = digits.map((_, digit) => String(digit));
  return { kind: "dataset", name, inputs, scale: 1 / 255, targets, classes };
}

/** Distance of a point from a stroke, in fractions of the picture, for a digit of this width and height. */
function distanceTo(
  stroke: readonly [number, number, number, number],
  x: number,
  y: number,
  width: number,
  height: number,
): number {
  const [x1, y1, x2, y2] = stroke;
  const [dx, dy] = [(x2 - x1) * width, (y2 - y1) * height];
  const [px, py] = [(x - x1) * width, (y - y1) * height];
  const along = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy)));
  return Math.hypot(px - along * dx, py - along * dy);
}
