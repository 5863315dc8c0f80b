import type { GraphBuilder, Value } from "../ir/index.ts";
import { elementCount, formatShape, type Shape, type TensorType } from "../tensor/index.ts";

/** What a model is trained to make small. */
export interface Loss {
  readonly name: string;
  /** Whether targets are class numbers, so that a share of wrong answers can be told as well. */
  readonly classes: boolean;
  /** The type of a batch of targets for outputs of this shape (without the batch axis). */
  target(batch: number, output: Shape): TensorType;
  /** Adds the operations; the result is each sample's loss, shape [batch]. */
  build(builder: GraphBuilder, output: Value, target: Value): Value;
}

/** −log of the probability that softmax gives to the label: for outputs [classes] and class numbers as targets. */
export function crossEntropy(): Loss {
  return {
    name: "cross-entropy",
    classes: true,
    target(batch, output) {
      if (output.length !== 1) {
        throw new Error(
          `crossEntropy: the model's output must be one number per class, got ${formatShape(output)}; end it with dense(classes)`,
        );
      }
      return { shape: [batch], dtype: "int32" };
    },
    build: (builder, output, target) => builder.applyAll("crossEntropy", [output, target])[0],
  };
}

/**
 * The mean of squared differences over a sample's outputs.
 *
 * @param options `classes: true` compares with 1 at the label and 0 elsewhere, so that targets are class numbers
 */
export function meanSquaredError({ classes = false }: { readonly classes?: boolean } = {}): Loss {
  return {
    name: "mean squared error",
    classes,
    target(batch, output) {
      if (classes && output.length !== 1) {
        throw new Error(
          `meanSquaredError: with classes the model's output must be one number per class, got ${formatShape(output)}; end it with dense(classes)`,
        );
      }
      return classes ? { shape: [batch], dtype: "int32" } : { shape: [batch, ...output], dtype: "float32" };
    },
    build(builder, output, target) {
      const { shape } = output.type;
      const wanted = classes
        ? builder.apply("oneHot", [target], { classes: shape[1], dtype: output.type.dtype })
        : target;
      const squares = builder.apply("square", [builder.apply("subtract", [output, wanted])]);
      const axes = shape.map((_, axis) => axis).slice(1);
      const total = builder.apply("sum", [squares], { axes });
      return builder.apply("scale", [total], { factor: 1 / elementCount(shape.slice(1)) });
    },
  };
}
