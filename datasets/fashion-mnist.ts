import { type IdxSplit, readIdxSplit } from "./idx-split.ts";
import type { MnistOptions } from "./mnist.ts";
import type { Split } from "./split.ts";

/** Where Debian's package puts the files. */
const systemFolder = "/usr/share/datasets/fashion-mnist";

/** Xiao, Rasul, Vollgraf 2017, with the MD5 sums of what is in the files of Debian's package. */
const description: IdxSplit = {
  subject: "fashionMnist",
  title: "Fashion-MNIST",
  sums: [
    "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "9018921c3c673c538a1fc5bad174d6f9",
    "8181f5470baa50b63fa0f6fddb340f0a",
    "15d484375f8d13e6eb1aabb0c3f46965",
  ],
  classes: ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"],
  remedy: "install Debian's package dataset-fashion-mnist, or give { folder } with the four files of the makers",
};

/**
 * All of Fashion-MNIST: 60,000 and 10,000 images of clothes, 28 × 28 bytes of grey. It does not come with Tessera: it is
 * read from Debian's package `dataset-fashion-mnist` where that is installed, or from a folder.
 *
 * @throws Error naming the file, what was expected, and what to do, if one is missing or damaged
 */
export function fashionMnist({ folder = systemFolder, verify = true }: MnistOptions = {}): Promise<Split> {
  return readIdxSplit(description, folder, verify);
}
