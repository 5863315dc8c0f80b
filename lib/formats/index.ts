// Bytes become tensors and data sets here, and tensors bytes: IDX, safetensors, what a data set is, whole files.
// Where data sets lie and how they are fetched is not known here: see datasets/.
// Go next to training/, which feeds data sets to networks.
export { type Dataset, type Samples, sampleCount, sliceDataset } from "./dataset.ts";
export { readFileIfThere, readWholeFile, writeFileAtomically } from "./files.ts";
export { parseIdx } from "./idx.ts";
export { encodeSafetensors, parseSafetensors, type Safetensors } from "./safetensors.ts";
