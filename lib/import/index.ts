// Models of other frameworks become ordinary models here, and ours become files for them: ONNX, Keras 3, TensorFlow.js.
// What operators mean is not said here but in ops/: a rule says only what a node of a file is made of.
// Go next to training/, which compiles what was imported, or to README.md for what can be.
export { type ExportOptions, exportModel, type TrainedModel } from "./export-model.ts";
export { type ImportOptions, importModel } from "./import-model.ts";
