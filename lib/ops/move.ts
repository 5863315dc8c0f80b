import { defineOperator } from "../ir/index.ts";
import { bytesOf, formatTypes } from "../tensor/index.ts";

/**
 * The input, copied from one memory to another: what goes to the host has no bytes on the device from then on. An
 * operator of its own and not a `copy`, because it may never be fused away: nothing but a move reads the host's memory.
 */
export const move = defineOperator({
  name: "move",
  summary: "the input, copied `to` the memory of the host or of the device",
  constraints: {
    C1: { rule: "there must be one input of dtype float64, float32 or int32", remedy: "give the tensor to move" },
  },
  attributes: { to: { kind: "choice", choices: ["host", "device"] } },
  inferTypes(inputs, _, require) {
    const known = inputs.length === 1 && ["float64", "float32", "int32"].includes(inputs[0].dtype);
    require(known, "C1", () => formatTypes(inputs));
    return [inputs[0]];
  },
  compute([x], [y]) {
    y.data.set(x.data as never);
  },
  gradient: null,
  cost: ([x], [y]) => ({ flops: 0, bytes: bytesOf(x) + bytesOf(y) }),
  inPlace: [],
});
