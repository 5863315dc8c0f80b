import { unzipSync } from "fflate";
import { Dataset, File, Group } from "jsfive";
import type { Model } from "../../nn/index.ts";
import { elementCount, formatShape } from "../../tensor/index.ts";
import type { Constant } from "../onnx/constant.ts";
import type { NetworkModelOptions } from "../onnx/model.ts";
import type { WeightsOf } from "./layer-writer.ts";
import { kerasModel } from "./model.ts";

/** Deflate makes of a byte at most so many; what claims more is no archive. */
const mostInflation = 1032;

/** Reads the bytes of a `.keras` file: a zip archive of the layers (config.json) and the weights (HDF5). */
export function readKeras(bytes: Uint8Array, file: string, options: NetworkModelOptions): Model {
  const entries = unzip(bytes, file);
  const entry = (name: string): Uint8Array => {
    const found = entries[name];
    if (found !== undefined) return found;
    throw new Error(
      `${file}: a .keras file must hold config.json and model.weights.h5, got no ${name}; save the model again with Keras 3`,
    );
  };
  const config = parseJson(entry("config.json"), `${file}: config.json`);
  const weights = entry("model.weights.h5");
  return kerasModel(config, file, (layers) => storedWeights(weights, layers, file), options);
}

export function parseJson(bytes: Uint8Array, subject: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Error(`${subject}: must be JSON, got "${(error as Error).message}"; fetch or save the file again`);
  }
}

function unzip(bytes: Uint8Array, file: string): Readonly<Record<string, Uint8Array>> {
  try {
    return unzipSync(bytes, {
      filter({ name, size, originalSize }) {
        // Checked before anything is set aside for the entry.
        if (originalSize > mostInflation * size + 64 || size > bytes.length) {
          throw new Error(`${name} of ${size} bytes claims ${originalSize}`);
        }
        return name === "config.json" || name === "model.weights.h5";
      },
    });
  } catch (error) {
    throw new Error(
      `${file}: the file must be a whole zip archive, got "${messageOf(error)}"; fetch or save the file again`,
    );
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The weights of an HDF5 file as Keras 3 arranges them: a group for each layer, named by its class and numbered, in which
 * weights stand by their place; those of recurrent layers in their cell.
 */
function storedWeights(
  bytes: Uint8Array,
  layers: readonly { readonly type: string; readonly name: string }[],
  file: string,
): WeightsOf {
  const groups = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const { type, name } of layers) {
    const own = snakeCase(type);
    const count = counts.get(own) ?? 0;
    counts.set(own, count + 1);
    groups.set(name, count === 0 ? own : `${own}_${count}`);
  }
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  let root: Group | undefined;
  return ({ name, type }, weight, index) => {
    const path = `layers/${groups.get(name)}/${["LSTM", "GRU", "SimpleRNN"].includes(type) ? "cell/" : ""}vars/${index}`;
    const where = `${weight} of layer "${name}"`;
    try {
      root ??= new File(buffer);
      return readDataset(root, path, bytes.length);
    } catch (error) {
      throw new Error(
        `${file}: model.weights.h5 must hold ${where} (${path}), got "${messageOf(error)}"; fetch or save the file again`,
      );
    }
  };
}

function readDataset(root: Group, path: string, most: number): Constant {
  let found: Group | Dataset = root;
  for (const part of path.split("/")) {
    if (!(found instanceof Group) || !found.keys.includes(part)) throw new Error(`no ${part}`);
    found = found.get(part);
  }
  if (!(found instanceof Dataset)) throw new Error("a group");
  const { shape, dtype } = found;
  const count = elementCount(shape);
  const width = dtype === "<f4" ? 4 : dtype === "<f2" ? 2 : dtype === "<f8" ? 8 : 0;
  if (width === 0) throw new Error(`elements of type ${String(dtype)}`);
  // Before anything is set aside: no more than the file can hold.
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || count * width > most) {
    throw new Error(`shape ${formatShape(shape)}`);
  }
  const { value } = found;
  if (value.length !== count) throw new Error(`${value.length} numbers for ${formatShape(shape)}`);
  return { shape: [...shape], real: true, data: Float32Array.from(value) };
}

/** As Keras names groups: `Conv2D` becomes `conv2d`, `BatchNormalization` `batch_normalization`. */
function snakeCase(name: string): string {
  return name
    .replaceAll(/\W+/g, "")
    .replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
