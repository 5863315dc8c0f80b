import { basename } from "node:path";
import { type Dataset, parseIdx } from "../lib/formats/index.ts";
import { pairImages, readUnpacked } from "./idx-split.ts";

/**
 * Reads pictures of grey and their labels from two IDX files, plain or compressed.
 *
 * @param classes names of the classes; their numbers unless told otherwise
 * @throws Error naming the file if one is missing or damaged, or if the two do not belong together
 */
export async function readIdx(images: string, labels: string, classes?: readonly string[]): Promise<Dataset> {
  const [pictures, answers] = await Promise.all(
    [images, labels].map(async (path) => {
      const { bytes, from } = await readUnpacked("idx", path, "check the path");
      return parseIdx(bytes, from);
    }),
  );
  let largest = 0;
  for (const label of answers.data) largest = Math.max(largest, label);
  const names = classes ?? Array.from({ length: largest + 1 }, (_, label) => String(label));
  return pairImages("idx", basename(images), pictures, answers, names);
}
