import { allOnes, allZeros, he } from "../../nn/index.ts";
import { elementCount, formatShape, random } from "../../tensor/index.ts";
import type { Constant } from "./constant.ts";
import type { TensorMessage } from "./schema.ts";

/** No tensor without data may have more elements than this: nothing but a few bytes of the file stands behind them. */
const mostElements = 2 ** 28;

/**
 * A weight whose data is not at hand, as one begins: filters and matrices as `he` draws them, vectors zeros if their name
 * says that they are added or subtracted, otherwise ones. Drawn when it is first asked for, so that a network that is only
 * looked at costs nothing.
 *
 * @param stream another one for each tensor
 * @throws Error naming the file and the tensor if it is not of float32
 */
export function drawnConstant(tensor: TensorMessage, file: string, seed: number, stream: number): Constant {
  const { name = "", dims: shape, dataType } = tensor;
  const count = elementCount(shape);
  const fits = shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) && count <= mostElements;
  if (dataType !== 1 || !fits) {
    throw new Error(
      `${file}: tensors to be drawn must be float32 of at most ${mostElements} elements, got type ${dataType}${formatShape(shape)} (tensor "${name}"); import the file with its data`,
    );
  }
  const added = /bias|beta|shift|mean/.test(name);
  const initialiser = shape.length >= 2 ? he : added ? allZeros : allOnes;
  let data: Constant["data"] | undefined;
  return {
    shape,
    real: true,
    get data() {
      data ??= initialiser(shape, random(seed, stream)).data;
      return data;
    },
  };
}
