import { readWholeFile } from "../../formats/index.ts";
import type { Model } from "../../nn/index.ts";
import { elementCount, formatShape } from "../../tensor/index.ts";
import type { Constant } from "../onnx/constant.ts";
import type { NetworkModelOptions } from "../onnx/model.ts";
import type { WeightsOf } from "./layer-writer.ts";
import { kerasModel } from "./model.ts";
import { parseJson } from "./read-keras.ts";

type Entry = Readonly<Record<string, unknown>>;

const isEntry = (value: unknown): value is Entry => typeof value === "object" && value !== null;

/** Reads TensorFlow.js's `model.json` of layers, and the shards of weights that lie beside it. */
export async function readTfjs(bytes: Uint8Array, path: string, options: NetworkModelOptions): Promise<Model> {
  const json = parseJson(bytes, path);
  const fail = (rule: string, got: string, remedy: string): never => {
    throw new Error(`${path}: ${rule}, got ${got}; ${remedy}`);
  };
  if (!isEntry(json) || !isEntry(json.modelTopology)) {
    return fail("a model.json must hold modelTopology", "none", "save the model with TensorFlow.js, model.save");
  }
  if (json.format === "graph-model") {
    return fail("the format must be layers-model", "graph-model", "convert with --output_format=tfjs_layers_model");
  }
  const topology = json.modelTopology;
  const weights = await readShards(json.weightsManifest, path);
  const weightsOf = (): WeightsOf => (call, name) => {
    // Names are those of Keras: layer/weight, with scopes around them in some files.
    const known = name === "kernel" && call.type === "DepthwiseConv2D" ? ["depthwise_kernel", "kernel"] : [name];
    for (const own of known) {
      const found = weights.get(`${call.name}/${own}`);
      if (found !== undefined) return found;
    }
    return fail(`weights must hold ${name} of layer "${call.name}"`, "none", "save the model again");
  };
  return kerasModel(topology.model_config ?? topology, path, weightsOf, options);
}

const reals: Readonly<Record<string, number>> = { float32: 4 };

/** Every weight of the manifest by `layer/name`, from shards that are read one after the other and joined. */
async function readShards(manifest: unknown, path: string): Promise<ReadonlyMap<string, Constant>> {
  const weights = new Map<string, Constant>();
  const fail = (rule: string, got: string, remedy = "save the model again"): never => {
    throw new Error(`${path}: ${rule}, got ${got}; ${remedy}`);
  };
  const folder = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  for (const group of Array.isArray(manifest) ? manifest : fail("there must be a weightsManifest", "none")) {
    if (!isEntry(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      return fail("a group of weights must have paths and weights", "none");
    }
    const shards: Uint8Array[] = [];
    for (const shard of group.paths) {
      if (
        typeof shard !== "string" ||
        /^([/\\]|[A-Za-z]:)/.test(shard) ||
        shard.split(/[/\\]/).includes("..") ||
        shard.includes("\0")
      ) {
        fail("shards must lie in the model's folder", JSON.stringify(shard) ?? "none", "move them there");
      }
      shards.push(await readWholeFile(`${path}: shard "${shard}"`, `${folder}${shard}`));
    }
    const bytes = joined(shards);
    let offset = 0;
    for (const entry of group.weights) {
      if (!isEntry(entry) || typeof entry.name !== "string" || !Array.isArray(entry.shape)) {
        return fail("a weight must have name and shape", JSON.stringify(entry) ?? "none");
      }
      const { name, shape, dtype } = entry as { name: string; shape: number[]; dtype: unknown };
      const width = reals[String(dtype)];
      if (width === undefined || entry.quantization !== undefined) {
        return fail(
          "weights must be float32",
          `${dtype}${entry.quantization === undefined ? "" : ", quantised"} (${name})`,
          "save them in float32",
        );
      }
      if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
        return fail("extents must be whole numbers ≥ 0", `${formatShape(shape)} (${name})`);
      }
      const length = elementCount(shape) * width;
      if (!(offset + length <= bytes.length)) {
        return fail(
          `${name}${formatShape(shape)} must lie within the ${bytes.length} bytes of its shards`,
          `bytes from ${offset} to ${offset + length}`,
          "fetch the shards again",
        );
      }
      const data = new Float32Array(elementCount(shape));
      const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
      for (let i = 0; i < data.length; i++) data[i] = view.getFloat32(i * width, true);
      offset += length;
      // The layer and the weight are the last two parts.
      weights.set(name.split("/").slice(-2).join("/"), { shape, real: true, data });
    }
  }
  return weights;
}

function joined(shards: readonly Uint8Array[]): Uint8Array {
  if (shards.length === 1) return shards[0];
  const bytes = new Uint8Array(shards.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const shard of shards) {
    bytes.set(shard, offset);
    offset += shard.length;
  }
  return bytes;
}
