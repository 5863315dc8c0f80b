// Bytes become tensors and data sets here, and tensors bytes: IDX, and what a data set is.
// Where files lie and how they are fetched is not known here: see datasets/.
// Go next to training/, which feeds data sets to networks.
export { type Dataset, sampleCount, sliceDataset } from "./dataset.ts";
export { parseIdx } from "./idx.ts";
