import { readWholeFile } from "../../formats/index.ts";
import type { Model } from "../../nn/index.ts";
import type { ReadExternal } from "./constant.ts";
import { type NetworkModelOptions, networkModel } from "./model.ts";
import { readNetwork } from "./network.ts";
import { readMessage } from "./protobuf.ts";
import { rules } from "./rules/index.ts";
import { modelFields } from "./schema.ts";

/** Reads an ONNX file, and the data files that it names, as a model. */
export async function readOnnx(
  bytes: Uint8Array,
  path: string,
  options: NetworkModelOptions & { readonly output?: string; readonly weights?: "file" | "drawn" },
): Promise<Model> {
  const { seed = 1, weights = "file" } = options;
  if (weights !== "file" && weights !== "drawn") {
    throw new Error(
      `importModel: weights must be "file" or "drawn", got ${JSON.stringify(weights)}; leave the option out`,
    );
  }
  const drawn = weights === "drawn";
  const external = drawn ? unread : await readExternalFiles(bytes, path);
  const outputs = options.output === undefined ? undefined : [options.output];
  const network = readNetwork(
    bytes,
    path,
    external,
    (operator) => operator in rules,
    outputs,
    drawn ? seed : undefined,
  );
  return networkModel(network, options);
}

const unread: ReadExternal = (location) => {
  throw new Error(`internal: ${location} was asked for, although its tensors are drawn`);
};

/**
 * Reads every data file that a model names, each once.
 *
 * @throws Error naming the model and the file if a name leads out of the model's folder
 */
async function readExternalFiles(bytes: Uint8Array, path: string): Promise<ReadExternal> {
  const tensors = readMessage(modelFields, bytes, path).graph?.initializers ?? [];
  const files = new Map<string, Uint8Array>();
  for (const { dataLocation, externalData, name } of tensors) {
    const location = externalData.find(({ key }) => key === "location")?.value;
    if (dataLocation !== 1 || location === undefined || files.has(location)) continue;
    if (/^([/\\]|[A-Za-z]:)/.test(location) || location.split(/[/\\]/).includes("..") || location.includes("\0")) {
      throw new Error(
        `${path}: external data must lie in the model's folder, got "${location}" (tensor "${name ?? ""}"); move it there and export again`,
      );
    }
    const folder = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
    files.set(
      location,
      await readWholeFile(`${path}: external data of tensor "${name ?? ""}"`, `${folder}${location}`),
    );
  }
  return (location) => {
    const found = files.get(location);
    if (found === undefined) throw new Error(`internal: ${location} was not read (for ${path})`);
    return found;
  };
}
