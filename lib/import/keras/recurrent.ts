import type { Shape } from "../../tensor/index.ts";
import type { Constant } from "../onnx/constant.ts";
import { type LayerWriter, type Tensor, transposed } from "./layer-writer.ts";

/** A recurrent layer of Keras: which operator of ONNX it is, and where its gates stand there. */
interface Cell {
  readonly operator: "LSTM" | "GRU" | "RNN";
  /** For each gate of ONNX's order, its place in Keras's. */
  readonly gates: readonly number[];
}

/** Blocks of rows of a matrix in another order: the gates, from [features, gates · units] to [1, gates · units, features]. */
function gatesAsRows(weight: Constant, gates: readonly number[]): Constant {
  const rows = transposed(weight, [1, 0]);
  const [all, features] = rows.shape;
  const block = (all / gates.length) * features;
  const data = rows.data.slice();
  for (const [to, from] of gates.entries()) {
    data.set(rows.data.subarray(from * block, (from + 1) * block), to * block);
  }
  return { ...rows, shape: [1, all, features], data };
}

function recurrent({ operator, gates }: Cell) {
  return (writer: LayerWriter, inputs: readonly Tensor[]): Tensor => {
    if (inputs.length !== 1) writer.fail("there must be one input", String(inputs.length));
    const x = writer.last(inputs[0]);
    if (x.rank !== 3) writer.fail("a sample must be [time, features]", `rank ${x.rank - 1}`);
    for (const name of ["go_backwards", "stateful", "return_state"]) writer.expect(name, false);
    for (const name of ["dropout", "recurrent_dropout"]) writer.expect(name, 0);
    writer.expect("activation", "tanh");
    if (operator !== "RNN") writer.expect("recurrent_activation", "sigmoid");
    if (operator === "GRU") writer.expect("reset_after", true);
    const units = writer.whole("units");
    const wide = units * gates.length;
    const matrix = (shape: Shape): boolean => shape.length === 2 && shape[1] === wide;
    const weights = [
      writer.weight("kernel", matrix, (weight) => gatesAsRows(weight, gates)),
      writer.weight("recurrent_kernel", matrix, (weight) => gatesAsRows(weight, gates)),
    ];
    if (writer.truth("use_bias", true)) weights.push(biasOf(writer, operator, gates, wide));
    const time = writer.node("Transpose", [x.name], { perm: { wholes: [1, 0, 2] } });
    const all = `${writer.call.output}/all`;
    const last = `${writer.call.output}/last`;
    const attributes = {
      hidden_size: { whole: units },
      ...(operator === "GRU" ? { linear_before_reset: { whole: 1 } } : {}),
    };
    writer.node(operator, [time, ...weights], attributes, [all, last]);
    if (!writer.truth("return_sequences", false)) {
      return { name: writer.node("Squeeze", [last, writer.wholes([0])]), rank: 2, channels: "last" };
    }
    const states = writer.node("Squeeze", [all, writer.wholes([1])]);
    return { name: writer.node("Transpose", [states], { perm: { wholes: [1, 0, 2] } }), rank: 3, channels: "last" };
  };
}

/** ONNX adds a bias to each of the two products: Keras has both for a GRU, and one otherwise, to which zeros are added. */
function biasOf(writer: LayerWriter, operator: Cell["operator"], gates: readonly number[], wide: number): string {
  if (operator === "GRU") {
    return writer.weight(
      "bias",
      (shape) => shape.length === 2 && shape[0] === 2 && shape[1] === wide,
      (weight) => ({ ...weight, shape: [1, 2 * wide] }),
    );
  }
  const bias = writer.weight(
    "bias",
    (shape) => shape.length === 1 && shape[0] === wide,
    (weight) => {
      const rows = gatesAsRows({ ...weight, shape: [1, wide] }, gates);
      return { ...rows, shape: [1, wide] };
    },
  );
  const zeros = writer.node("Reshape", [
    writer.numbers(Array.from({ length: wide }, () => 0)),
    writer.wholes([1, wide]),
  ]);
  return writer.node("Concat", [bias, zeros], { axis: { whole: 1 } });
}

/** Layers over time. */
export const recurrentLayers = {
  GRU: recurrent({ operator: "GRU", gates: [0, 1, 2] }),
  // Keras has input, forget, candidate, output; ONNX input, output, forget, candidate.
  LSTM: recurrent({ operator: "LSTM", gates: [0, 3, 1, 2] }),
  SimpleRNN: recurrent({ operator: "RNN", gates: [0] }),
};
