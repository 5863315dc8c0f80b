import type { Dataset } from "../../formats/index.ts";
import type { HostTensor } from "../../tensor/index.ts";
import { Figure } from "../figure.ts";
import { checkAmount, mostImagePixels } from "../look/limits.ts";
import { placeholder } from "../look/placeholder.ts";
import { tesseraMime } from "../mime.ts";
import { type ImageGrid, imagesPicture, imagesSummary, toShades } from "./draw-images.ts";

/** A data set, a tensor of shape [images, rows, columns], or a list of images of equally many pixels. */
export type Images = Dataset | HostTensor | readonly ArrayLike<number>[];

export interface ImageOptions {
  readonly title?: string;
  /** What each image shows; by default the labels of the data set. */
  readonly labels?: ArrayLike<number | string>;
  /** What each image was taken for; those that differ from the label stand out. */
  readonly predictions?: ArrayLike<number | string>;
  /** Images side by side; 10 unless told otherwise. */
  readonly columns?: number;
  /** The most images to be drawn, from the first on; 40 unless told otherwise. */
  readonly limit?: number;
  /** Rows and columns of pixels, where the images do not tell; square unless told otherwise. */
  readonly size?: readonly [rows: number, columns: number];
}

/**
 * Shows grey images in a grid, as digits, filters or reconstructions. The darkest shade is the largest value of all
 * images; where there are negative values they are coloured, and nought is pale.
 */
export function images(images: Images, options: ImageOptions = {}): Figure {
  const { pixels, size, labels: ownLabels, classes, name } = readImages(images, options);
  const limit = options.limit ?? 40;
  const shown = pixels.slice(0, limit);
  const title = options.title ?? (name === "" ? "Images" : name);
  if (shown.length === 0) {
    const message = "Nothing to draw: there are no images.";
    return new Figure({ kind: "images", picture: placeholder(title, message), summary: `${title}: ${message}` });
  }
  const [rows, columns] = size;
  const pixelCount = rows * columns * shown.length;
  const instead = `give a smaller limit than ${shown.length} images of ${rows} × ${columns}, or larger steps between pixels`;
  checkAmount("plot.images", "pixels", pixelCount, mostImagePixels, instead);
  const read = (list: ArrayLike<number | string> | undefined, what: string): string[] | undefined => {
    if (list !== undefined && list.length < shown.length) {
      throw new Error(
        `plot.images: there must be a ${what} for each image, got ${list.length} for ${shown.length} images; give as many`,
      );
    }
    // Class numbers are told by the names of the classes, where there are any.
    const nameOf = (value: number | string): string => classes[value as number] ?? String(value);
    return list && Array.from({ length: shown.length }, (_, index) => nameOf(list[index]));
  };
  const labels = read(options.labels ?? ownLabels, "label");
  const predictions = read(options.predictions, "prediction");
  const missing = shown.reduce(
    (sum, image) => sum + Array.from(image).filter((value) => !Number.isFinite(value)).length,
    0,
  );
  const grid: ImageGrid = {
    title,
    images: toShades(shown),
    rows,
    columns,
    across: Math.max(1, Math.min(options.columns ?? 10, shown.length)),
    ...(labels && { labels }),
    ...(predictions && { predictions }),
    total: pixels.length,
    ...(missing > 0 && { missing }),
  };
  return new Figure({
    kind: "images",
    picture: imagesPicture(grid),
    summary: imagesSummary(grid),
    interactive: { mime: tesseraMime, data: grid },
  });
}

interface ReadImages {
  readonly pixels: readonly ArrayLike<number>[];
  readonly size: readonly [number, number];
  readonly labels?: ArrayLike<number>;
  /** Names of the classes by number; empty where there are none. */
  readonly classes: readonly string[];
  readonly name: string;
}

function readImages(images: Images, options: ImageOptions): ReadImages {
  if ("kind" in images) {
    const { inputs, targets, classes, name } = images;
    return { ...readTensor(inputs), name, classes, ...(classes.length > 0 && { labels: targets.data }) };
  }
  if ("shape" in images) return { ...readTensor(images), name: "", classes: [] };
  const count = images[0]?.length ?? 0;
  const side = Math.round(Math.sqrt(count));
  const size = options.size ?? ([side, side] as const);
  const odd = images.findIndex((image) => image.length !== size[0] * size[1]);
  if (odd >= 0) {
    throw new Error(
      `plot.images: an image must have ${size[0]} × ${size[1]} pixels, got ${images[odd].length} (image ${odd}); give its size as [rows, columns]`,
    );
  }
  return { pixels: images, size, name: "", classes: [] };
}

function readTensor({ shape, data }: HostTensor): { pixels: ArrayLike<number>[]; size: readonly [number, number] } {
  if (shape.length !== 3) {
    throw new Error(
      `plot.images: a tensor of images must have the shape [images, rows, columns], got [${shape}]; reshape it first`,
    );
  }
  const [count, rows, columns] = shape;
  const values = data as unknown as { subarray(start: number, end: number): ArrayLike<number> };
  const pixels = Array.from({ length: count }, (_, index) =>
    values.subarray(index * rows * columns, (index + 1) * rows * columns),
  );
  return { pixels, size: [rows, columns] };
}
