// Data sets live here: readers of files that are there or one's own, and small sets of our own making.
// How bytes become tensors does not: see lib/formats/. Networks are unknown here.
// Go next to notebooks/, where they are used.
export { fashionMnist } from "./fashion-mnist.ts";
export { type MnistOptions, mnist } from "./mnist.ts";
export { type CsvOptions, readCsv } from "./own-csv.ts";
export { readIdx } from "./own-idx.ts";
export { type PngOptions, readPngFolder } from "./own-png.ts";
export { type Split, type SplitOptions, splitDataset } from "./split.ts";
export {
  addingProblem,
  firstSymbol,
  monomials,
  parity,
  type SequenceOptions,
  type SpiralsOptions,
  type SyntheticOptions,
  spirals,
} from "./synthetic.ts";
export { type SyntheticDigitsOptions, syntheticDigits } from "./synthetic-digits.ts";
