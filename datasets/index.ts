// Data sets live here: readers of files that are there, and small sets of our own making.
// How bytes become tensors does not: see lib/formats/. Networks are unknown here.
// Go next to notebooks/, where they are used.
export { type MnistOptions, mnist, type Split } from "./mnist.ts";
export { type SyntheticDigitsOptions, syntheticDigits } from "./synthetic-digits.ts";
