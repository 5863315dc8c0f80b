import type { LayerWriter, Tensor } from "./layer-writer.ts";

type Activation = (writer: LayerWriter, x: Tensor) => string;

const direct =
  (operator: string): Activation =>
  (writer, { name }) =>
    writer.node(operator, [name]);

/** Keras's functions by name; `linear` gives what it takes. */
const activations: Readonly<Record<string, Activation>> = {
  linear: (_, { name }) => name,
  relu: direct("Relu"),
  relu6: (writer, { name }) => writer.node("Clip", [name, writer.numbers([0]), writer.numbers([6])]),
  sigmoid: direct("Sigmoid"),
  tanh: direct("Tanh"),
  softplus: direct("Softplus"),
  softsign: direct("Softsign"),
  elu: direct("Elu"),
  selu: direct("Selu"),
  exponential: direct("Exp"),
  gelu: direct("Gelu"),
  mish: direct("Mish"),
  swish: direct("Swish"),
  silu: direct("Swish"),
  hard_sigmoid: (writer, { name }) =>
    writer.node("HardSigmoid", [name], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  leaky_relu: (writer, { name }) => writer.node("LeakyRelu", [name], { alpha: { float: 0.2 } }),
  softmax: (writer, { name, channels }) =>
    writer.node("Softmax", [name], { axis: { whole: channels === "first" ? 1 : -1 } }),
};

/** Applies the function that a layer's setting names. */
export function activate(writer: LayerWriter, x: Tensor, setting: unknown): Tensor {
  const name = typeof setting === "string" ? setting : "";
  const camel = name.replace(/[A-Z]/g, (letter, at) => `${at > 0 ? "_" : ""}${letter.toLowerCase()}`);
  if (setting === null || setting === undefined) return x;
  if (!Object.hasOwn(activations, camel)) {
    writer.fail(
      `the activation must be one of ${Object.keys(activations).join(", ")}`,
      JSON.stringify(setting).slice(0, 60),
    );
  }
  return { ...x, name: activations[camel](writer, x) };
}
