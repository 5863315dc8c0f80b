import { elementCount, formatShape, type Shape } from "../tensor/index.ts";
import { allZeros, chooseInitialiser, type Initialiser, type InitialiserName } from "./initialisers.ts";
import { checkSize, type Layer } from "./layer.ts";

/** How the weights of a layer begin. */
export interface DenseOptions {
  /** A name or a function of one's own; `he` unless told otherwise. */
  readonly initialiser?: InitialiserName | Initialiser;
  /** Whether a bias is added; true unless told otherwise. */
  readonly bias?: boolean;
}

/** A layer in which every unit sees every input: x · weight + bias, from [batch, inputs] to [batch, units]. */
export function dense(units: number, { initialiser = "he", bias = true }: DenseOptions = {}): Layer {
  checkSize("dense", "units", units);
  const begin = chooseInitialiser("dense", initialiser);
  return {
    type: "dense",
    label: `dense(${units})`,
    build({ builder, parameter }, input) {
      const { shape } = input.type;
      if (shape.length !== 2) {
        throw new Error(
          `dense: a sample must be a vector, got ${formatShape(shape.slice(1))} (after the batch axis); put flatten() before it`,
        );
      }
      const weight = parameter("weight", [shape[1], units], begin);
      const product = builder.apply("matmul", [input, weight]);
      return bias ? builder.apply("addBias", [product, parameter("bias", [units], allZeros)], { axis: 1 }) : product;
    },
  };
}

/** Makes one vector of each sample: from [batch, …] to [batch, elements]. */
export function flatten(): Layer {
  return {
    type: "flatten",
    label: "flatten",
    build({ builder }, input) {
      const [batch, ...sample] = input.type.shape;
      return builder.apply("reshape", [input], { shape: [batch, elementCount(sample)] });
    },
  };
}

/** The same elements of each sample under another shape, such as [1, 28, 28] for pictures of one channel. */
export function reshape(shape: Shape): Layer {
  return {
    type: "reshape",
    label: `reshape(${shape.join("×")})`,
    build: ({ builder }, input) => builder.apply("reshape", [input], { shape: [input.type.shape[0], ...shape] }),
  };
}

function activation(
  operator: "relu" | "leakyRelu" | "gelu" | "softplus" | "sigmoid" | "tanh" | "softmax",
): () => Layer {
  return () => ({
    type: operator,
    label: operator,
    build: ({ builder }, input) => builder.apply(operator, [input]),
  });
}

/** The larger of x and 0, element by element. */
export const relu = activation("relu");

/** x where it is positive, otherwise x / 100, element by element. */
export const leakyRelu = activation("leakyRelu");

/** x times about the normal distribution function of x, element by element. */
export const gelu = activation("gelu");

/** log(1 + e^x), element by element. */
export const softplus = activation("softplus");

/** 1 / (1 + e^−x), element by element. */
export const sigmoid = activation("sigmoid");

/** The hyperbolic tangent, element by element. */
export const tanh = activation("tanh");

/** Probabilities along the last axis. Not needed before `crossEntropy`, which has it inside. */
export const softmax = activation("softmax");

/**
 * The nearest numbers that float16 or bfloat16 has, for activations and the gradients that come back, stored as before:
 * what low precision does to values. Small gradients vanish in float16, which loss scaling is against.
 */
export function roundTo(format: "float16" | "bfloat16"): Layer {
  return {
    type: "roundTo",
    label: `roundTo(${format})`,
    build: ({ builder }, input) => builder.apply("roundTo", [input], { format }),
  };
}

/** The same layers `times` over, each with parameters of its own: a list to spread into `sequential`. */
export function repeat(times: number, layers: readonly Layer[]): Layer[] {
  if (!Number.isInteger(times) || times < 0) {
    throw new Error(`repeat: times must be a whole number ≥ 0, got ${times}; give how often the layers come`);
  }
  return Array.from({ length: times }, () => layers).flat();
}
