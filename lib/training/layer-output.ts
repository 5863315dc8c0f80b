import type { GraphBuilder, Value } from "../ir/index.ts";
import { isFloat } from "../tensor/index.ts";

/**
 * What a layer of a model that has just been built gives: the last result of its operations, or of those inside of it.
 *
 * @param layer the layer's path, such as `convolution2` or `conv4/bottleneck3`
 * @param subject who asks, for the error
 * @throws Error if there is no such layer, or it gives no floats
 */
export function layerOutput(builder: GraphBuilder, layer: string, subject: string): Value {
  const inside = builder.operations.filter((operation) => `${operation.layer}/`.startsWith(`${layer}/`));
  const last = inside.at(-1)?.outputs[0];
  if (last === undefined || !isFloat(last.type.dtype)) {
    const top = new Set(builder.operations.map((operation) => operation.layer.split("/")[0]));
    throw new Error(
      `${subject}: the layer must be one that computes floats, got "${layer}"; there are ${[...top].join(", ")} and those below them`,
    );
  }
  return last;
}
