import { writeFileAtomically } from "../formats/index.ts";
import type { Model } from "../nn/index.ts";
import type { HostTensor } from "../tensor/index.ts";
import { writeOnnx } from "./onnx/write/write-onnx.ts";

/** A model with the weights that it has by now, such as a compiled program. */
export interface TrainedModel {
  readonly model: Model;
  /** Every parameter by name. */
  readonly parameters: ReadonlyMap<string, HostTensor>;
  /** Every state by name. */
  readonly states: ReadonlyMap<string, HostTensor>;
}

/** What an export may be told. */
export interface ExportOptions {
  /** The only batch that the file takes; any unless told otherwise. */
  readonly batch?: number;
}

/** Protobuf's limit; a file that is longer cannot be read. */
const mostBytes = 2 ** 31 - 1;

/**
 * Writes a model as an ONNX file: the graph with which it answers, and its weights. Layers stand in the names of nodes,
 * parameters and states under their own names; normalisations are the arithmetic that they are made of.
 *
 * @param source a compiled program, with the weights that it has by now, or a model, with those it begins with
 * @param path ends in `.onnx`
 * @throws Error naming the layer and the operator that ONNX has no counterpart for
 */
export async function exportModel(
  source: Model | TrainedModel,
  path: string,
  options: ExportOptions = {},
): Promise<void> {
  if (!path.endsWith(".onnx")) {
    throw new Error(`exportModel: the file must end in .onnx, got ${path}; there is no other form to write`);
  }
  const { batch } = options;
  if (batch !== undefined && !(Number.isInteger(batch) && batch >= 1)) {
    throw new Error(`exportModel: batch must be a whole number ≥ 1, got ${batch}; leave it out for any batch`);
  }
  const trained = "kind" in source ? begun(source) : source;
  const { model, parameters, states } = trained;
  const bytes = 4 * model.parameterCount;
  if (bytes > mostBytes) {
    throw new Error(
      `exportModel: weights must take at most ${mostBytes} bytes, got ${bytes} (${path}); ONNX files end there: make the model smaller`,
    );
  }
  const file = writeOnnx(model, new Map([...parameters, ...states]), { batch, file: path });
  await writeFileAtomically(path, file);
}

/** A model with the weights with which it begins. */
function begun(model: Model): TrainedModel {
  const weights = model.initialise();
  const kept = model.initialStates();
  return {
    model,
    parameters: new Map(model.parameters.map(({ name }, index) => [name, weights[index]])),
    states: new Map(model.states.map(({ name }, index) => [name, kept[index]])),
  };
}
