// What Keras writes of a model's layers, in the forms of Keras 3 (`config.json`) and of Keras 2 and TensorFlow.js
// (`model_config`): read from JSON that may hold anything.

/** Settings of a layer, as the file has them. */
export type Settings = Readonly<Record<string, unknown>>;

/** One use of a layer. */
export interface LayerCall {
  /** The layer's class, such as `Dense`. */
  readonly type: string;
  /** The layer's name in the file. */
  readonly name: string;
  readonly settings: Settings;
  /** Which use of this layer it is, from 0 on. */
  readonly call: number;
  /** Names of the tensors that it takes. */
  readonly inputs: readonly string[];
  /** The name of the tensor that it makes. */
  readonly output: string;
}

/** A model as layers that are applied to tensors. */
export interface Architecture {
  readonly name: string;
  /** In an order in which tensors are made before they are used. */
  readonly calls: readonly LayerCall[];
  /** Every layer once, in the file's order, inputs included. */
  readonly layers: readonly { readonly type: string; readonly name: string }[];
  /** The tensor that is fed, and its shape without the batch; null where the file leaves an extent open. */
  readonly input: { readonly name: string; readonly shape: readonly (number | null)[] };
  readonly output: string;
}

const isRecord = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The name of the tensor that a use of a layer makes. */
const tensorName = (layer: string, call: number): string => (call === 0 ? layer : `${layer}:${call}`);

/**
 * Reads a model's layers.
 *
 * @param config the JSON of a model: `{ class_name, config }`
 * @param file what errors call the file
 * @throws Error naming the file and the layer
 */
export function readArchitecture(config: unknown, file: string): Architecture {
  const fail = (rule: string, got: string, remedy: string): never => {
    throw new Error(`${file}: ${rule}, got ${got}; ${remedy}`);
  };
  const again = "save the model again with model.save";
  if (!isRecord(config) || typeof config.class_name !== "string") {
    return fail("there must be a model's class and settings", JSON.stringify(config)?.slice(0, 40) ?? "nothing", again);
  }
  const kind = config.class_name;
  const inner = Array.isArray(config.config) ? { layers: config.config } : config.config;
  if (!["Sequential", "Functional", "Model"].includes(kind) || !isRecord(inner) || !Array.isArray(inner.layers)) {
    return fail("a model must be Sequential or Functional", kind, "rebuild it from layers as one of these");
  }
  const layers = inner.layers.map((layer, index) => {
    if (!isRecord(layer) || typeof layer.class_name !== "string" || !isRecord(layer.config)) {
      return fail("a layer must have a class and settings", `layer ${index}`, again);
    }
    const name = layer.config.name ?? layer.name;
    if (typeof name !== "string" || name === "") return fail("a layer must have a name", `layer ${index}`, again);
    return { type: layer.class_name, name, settings: layer.config, nodes: layer.inbound_nodes };
  });
  const nested = layers.find(({ type }) => ["Sequential", "Functional", "Model"].includes(type));
  if (nested !== undefined) {
    fail("layers must not be models themselves", `${nested.type} (layer "${nested.name}")`, "build the model flat");
  }
  const name = typeof inner.name === "string" ? inner.name : "network";
  const shapeOf = (settings: Settings, layer: string): readonly (number | null)[] => {
    const shape = settings.batch_shape ?? settings.batch_input_shape;
    if (!Array.isArray(shape) || !shape.slice(1).every((extent) => extent === null || isExtent(extent))) {
      return fail("the shape of a sample must be known", `none (layer "${layer}")`, "begin the model with an Input");
    }
    return shape.slice(1);
  };

  if (kind === "Sequential") {
    const [first] = layers;
    if (first === undefined) return fail("a model must have layers", "none", again);
    const rest = first.type === "InputLayer" ? layers.slice(1) : layers;
    const input = { name: "input", shape: shapeOf(first.settings, first.name) };
    let last = input.name;
    const calls = rest.map(({ type, name: own, settings }): LayerCall => {
      const made = { type, name: own, settings, call: 0, inputs: [last], output: tensorName(own, 0) };
      last = made.output;
      return made;
    });
    return { name, calls, layers, input, output: last };
  }

  const calls: LayerCall[] = [];
  for (const { type, name: own, settings, nodes } of layers) {
    if (type === "InputLayer") continue;
    if (!Array.isArray(nodes)) return fail("a layer must say what it takes", `nothing (layer "${own}")`, again);
    for (const [call, node] of nodes.entries()) {
      const inputs = referencesIn(node).map(([layer, index, place]) => {
        if (place !== 0)
          fail("layers must make one tensor", `output ${place} of "${layer}"`, "build the model otherwise");
        return tensorName(layer, index);
      });
      calls.push({ type, name: own, settings, call, inputs, output: tensorName(own, call) });
    }
  }
  const inputs = layers.filter(({ type }) => type === "InputLayer");
  if (inputs.length !== 1) {
    const shown = inputs.map((layer) => `"${layer.name}"`).join(", ") || "none";
    return fail("a model must have one input", shown, "build a model that takes one tensor");
  }
  const [output] = referencesIn(inner.output_layers);
  if (output === undefined) return fail("a model must have an output", "none", again);
  const input = { name: tensorName(inputs[0].name, 0), shape: shapeOf(inputs[0].settings, inputs[0].name) };
  return { name, calls: inOrder(calls, input.name, file), layers, input, output: tensorName(output[0], output[1]) };
}

const isExtent = (extent: unknown): boolean => Number.isSafeInteger(extent) && (extent as number) >= 1;

type Reference = readonly [layer: string, call: number, place: number];

const isReference = (value: readonly unknown[]): boolean =>
  typeof value[0] === "string" && Number.isInteger(value[1]) && Number.isInteger(value[2]);

/** Every `["layer", call, place]` in a piece of JSON, in order; deeper than nine levels no model of Keras has one. */
function referencesIn(value: unknown, depth = 0): readonly Reference[] {
  if (depth > 9) return [];
  if (Array.isArray(value)) {
    if (isReference(value)) return [[value[0], value[1], value[2]]];
    return value.flatMap((inner) => referencesIn(inner, depth + 1));
  }
  if (!isRecord(value)) return [];
  return Object.values(value).flatMap((inner) => referencesIn(inner, depth + 1));
}

/** Calls, each behind those whose tensors it takes. */
function inOrder(calls: readonly LayerCall[], input: string, file: string): readonly LayerCall[] {
  const made = new Set([input]);
  const ordered: LayerCall[] = [];
  let left = calls;
  while (left.length > 0) {
    const ready = left.filter(({ inputs }) => inputs.every((name) => made.has(name)));
    if (ready.length === 0) {
      const [{ name, inputs }] = left;
      throw new Error(
        `${file}: a layer must take tensors that others make, got "${inputs.find((own) => !made.has(own))}" (layer "${name}"); save the model again`,
      );
    }
    for (const { output } of ready) made.add(output);
    ordered.push(...ready);
    const done = new Set(ready);
    left = left.filter((call) => !done.has(call));
  }
  return ordered;
}
