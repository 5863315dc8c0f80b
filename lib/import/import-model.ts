import { readWholeFile } from "../formats/index.ts";
import type { Model } from "../nn/index.ts";
import type { Shape } from "../tensor/index.ts";
import { readKeras } from "./keras/read-keras.ts";
import { readTfjs } from "./keras/read-tfjs.ts";
import { readOnnx } from "./onnx/read-onnx.ts";

/** What an import may be told. */
export interface ImportOptions {
  /** Shape of one sample, without the batch, where the file leaves extents open. */
  readonly input?: Shape;
  /** Name of the output that the model gives; the file's first unless told otherwise. */
  readonly output?: string;
  /** Shown in reports; the file's name for the graph unless told otherwise. */
  readonly name?: string;
  /** Seed of what layers draw, such as dropout; 1 unless told otherwise. Weights are those of the file. */
  readonly seed?: number;
  /**
   * `drawn` begins anew what an ONNX file keeps in data files beside it, which then need not be there: filters and matrices
   * as `he` draws them from the seed, biases and means 0, factors and variances 1. `file` unless told otherwise.
   */
  readonly weights?: "file" | "drawn";
}

/**
 * Imports a model from an ONNX file, from one of Keras 3 (`.keras`) or from TensorFlow.js's `model.json`, weights included: an ordinary model, which trains, compiles, is drawn and goes
 * through every memory strategy, with layers under the file's names. Whatever seed it is begun with, its weights are the
 * file's.
 *
 * @param path the file; data files that it names must lie beside it or below
 * @throws Error naming the file, and every node that cannot be imported
 */
export async function importModel(path: string, options: ImportOptions = {}): Promise<Model> {
  for (const name of Object.keys(options)) {
    if (!["input", "output", "name", "seed", "weights"].includes(name)) {
      throw new Error(`importModel: options must be known, got ${name}; there are input, output, name, seed, weights`);
    }
  }
  const bytes = await readWholeFile("importModel", path);
  const ending = path.slice(path.lastIndexOf(".")).toLowerCase();
  if (ending !== ".keras" && ending !== ".json") return readOnnx(bytes, path, options);
  if (options.output !== undefined) {
    throw new Error(
      `importModel: only ONNX files have outputs to choose from, got { output } for ${path}; leave it out`,
    );
  }
  return ending === ".keras" ? readKeras(bytes, path, options) : readTfjs(bytes, path, options);
}
