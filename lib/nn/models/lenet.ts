import { dense, flatten, relu, reshape, sigmoid, tanh } from "../layers.ts";
import { type Model, sequential } from "../model.ts";
import { averagePool, convolution, maxPool } from "../planes.ts";

/** Settings of LeNet-5. */
export interface LenetOptions {
  /** `tanh`, as in 1998, unless told otherwise. */
  readonly activation?: "tanh" | "relu" | "sigmoid";
  /** `average`, as in 1998 (there with a factor and a bias of its own), unless told otherwise. */
  readonly pooling?: "average" | "max";
  /** Shape of a sample: pictures of 28 × 28 pixels, with or without their one channel. */
  readonly input?: readonly number[];
  readonly seed?: number;
}

/**
 * LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998) in the form that is usual today, of 61,706 parameters: every filter of
 * the second convolution sees all six maps of the first, pooling has no parameters, and a dense layer ends it. The
 * original had 60,000: it left out some connections, and its last layer measured distances to fixed patterns. Pictures
 * of 28 × 28 pixels get a margin of two, as they had in the original.
 */
export function lenet5(options: LenetOptions = {}): Model {
  const { activation = "tanh", pooling = "average", input = [28, 28], seed } = options;
  const activate = { tanh, relu, sigmoid }[activation];
  const pool = { average: averagePool, max: maxPool }[pooling];
  if (activate === undefined || pool === undefined) {
    throw new Error(
      `lenet5: activation must be tanh, relu or sigmoid and pooling average or max, got ${activation} and ${pooling}; choose among these`,
    );
  }
  const initialiser = activation === "relu" ? "he" : "glorot";
  return sequential(
    [
      reshape([1, 28, 28]),
      convolution(6, { kernel: 5, padding: 2, initialiser }),
      activate(),
      pool(2),
      convolution(16, { kernel: 5, initialiser }),
      activate(),
      pool(2),
      flatten(),
      dense(120, { initialiser }),
      activate(),
      dense(84, { initialiser }),
      activate(),
      dense(10, { initialiser }),
    ],
    { input, name: "LeNet-5", seed },
  );
}
