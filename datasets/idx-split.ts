import { createHash } from "node:crypto";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Dataset, parseIdx, readFileIfThere } from "../lib/formats/index.ts";
import type { HostTensor } from "../lib/tensor/index.ts";
import type { Split } from "./split.ts";

/** What is known of a data set that comes as four IDX files, as MNIST did first. */
export interface IdxSplit {
  /** What errors begin with, such as `mnist`. */
  readonly subject: string;
  /** What the data sets are called, such as `MNIST`. */
  readonly title: string;
  /** MD5 sums of the contents: images and labels to learn from, images and labels of the test. */
  readonly sums: readonly [string, string, string, string];
  readonly classes: readonly string[];
  /** What to do where a file is missing. */
  readonly remedy: string;
}

const files = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/**
 * Reads the four files of a folder, plain or with `.gz`.
 *
 * @param verify whether they must be the original ones
 * @throws Error naming the file, what was expected, and what to do, if one is missing or damaged
 */
export async function readIdxSplit(split: IdxSplit, folder: string, verify: boolean): Promise<Split> {
  const { subject, title, sums, classes, remedy } = split;
  const [trainImages, trainLabels, testImages, testLabels] = await Promise.all(
    files.map(async (file, index) => {
      const { bytes, from } = await readUnpacked(subject, join(folder, file), remedy);
      if (verify) checkSum(subject, bytes, sums[index], from);
      return parseIdx(bytes, from);
    }),
  );
  return {
    train: pairImages(subject, `${title} train`, trainImages, trainLabels, classes),
    test: pairImages(subject, `${title} test`, testImages, testLabels, classes),
  };
}

function checkSum(subject: string, bytes: Uint8Array, expected: string, from: string): void {
  const got = createHash("md5").update(bytes).digest("hex");
  if (got === expected) return;
  throw new Error(
    `${subject}: the contents must have MD5 ${expected}, got ${got} (${from}, ${bytes.length} bytes); the file is damaged: fetch it anew, or give { verify: false } for files of your own`,
  );
}

/**
 * A file's bytes, unpacked if they are compressed; looks for the name with `.gz` as well.
 *
 * @throws Error if there is no such file, or it does not unpack
 */
export async function readUnpacked(
  subject: string,
  path: string,
  remedy: string,
): Promise<{ readonly bytes: Uint8Array; readonly from: string }> {
  for (const from of [path, `${path}.gz`]) {
    const bytes = await readFileIfThere(from);
    if (bytes === null) continue;
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { bytes, from };
    try {
      return { bytes: gunzipSync(bytes), from };
    } catch (error) {
      throw new Error(
        `${subject}: a compressed file must unpack, got "${(error as Error).message}" (${from}); the file is damaged: fetch it anew`,
      );
    }
  }
  throw new Error(`${subject}: the file must exist, got none (${path} or ${path}.gz); ${remedy}`);
}

/** Makes a data set of grey pictures [n,h,w] and their labels [n]. */
export function pairImages(
  subject: string,
  name: string,
  images: HostTensor,
  labels: HostTensor,
  classes: readonly string[],
): Dataset {
  if (
    images.dtype !== "uint8" ||
    images.shape.length !== 3 ||
    labels.dtype !== "uint8" ||
    labels.shape[0] !== images.shape[0]
  ) {
    throw new Error(
      `${subject}: images must be [n,h,w] bytes with n labels, got ${images.dtype}[${images.shape}] and ${labels.dtype}[${labels.shape}] (${name}); check that images and labels belong together`,
    );
  }
  return {
    kind: "dataset",
    name,
    inputs: images as HostTensor<"uint8">,
    scale: 1 / 255,
    targets: { shape: labels.shape, dtype: "int32", data: Int32Array.from(labels.data) },
    classes,
  };
}
