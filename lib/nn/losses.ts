import type { GraphBuilder, Value } from "../ir/index.ts";
import { type Dtype, elementCount, formatShape, type Shape, type TensorType } from "../tensor/index.ts";
import type { BuiltModel } from "./model.ts";

/** What a model is trained to make small. */
export interface Loss {
  readonly name: string;
  /** Whether targets are class numbers, so that a share of wrong answers can be told as well. */
  readonly classes: boolean;
  /** False for losses that look at no targets, so that any will do; true unless told otherwise. */
  readonly usesTargets?: boolean;
  /** The type of a batch of targets for outputs of this shape (without the batch axis). */
  target(batch: number, output: Shape): TensorType;
  /**
   * Adds the operations; the result is each sample's loss, shape [batch].
   *
   * @param input what the model was given, for losses that compare with it
   */
  build(builder: GraphBuilder, output: Value, target: Value, input: Value): Value;
}

/** Adds each sample's loss, [batch], with what the model's layers ask for besides. */
export function sampleLosses(builder: GraphBuilder, loss: Loss, model: BuiltModel, target: Value): Value {
  const { input, output, objectives } = model;
  return objectives.reduce(
    (sum, objective) => builder.apply("add", [sum, objective]),
    loss.build(builder, output, target, input),
  );
}

/** The target of a loss that asks for none: data sets bring labels anyhow. */
const labelsThatNobodyReads = (batch: number): TensorType => ({ shape: [batch], dtype: "int32" });

/** A class number per sample, for models of which the output is a number per class. */
function classTargets(loss: string, batch: number, output: Shape): TensorType {
  if (output.length !== 1) {
    throw new Error(
      `${loss}: the model's output must be one number per class, got ${formatShape(output)}; end it with dense(classes)`,
    );
  }
  return { shape: [batch], dtype: "int32" };
}

const number = (builder: GraphBuilder, value: number, dtype: Dtype): Value =>
  builder.apply("full", [], { shape: [], dtype, value });

/** −log of the probability that softmax gives to the label: for outputs [classes] and class numbers as targets. */
export function crossEntropy(): Loss {
  return {
    name: "cross-entropy",
    classes: true,
    target: (batch, output) => classTargets("crossEntropy", batch, output),
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
      if (classes) return classTargets("meanSquaredError with classes", batch, output);
      return { shape: [batch, ...output], dtype: "float32" };
    },
    build(builder, output, target) {
      const { shape, dtype } = output.type;
      const wanted = classes ? builder.apply("oneHot", [target], { classes: shape[1], dtype }) : target;
      return meanSquares(builder, output, wanted);
    },
  };
}

/** The mean over each sample of squared differences. */
function meanSquares(builder: GraphBuilder, output: Value, wanted: Value): Value {
  const { shape } = output.type;
  const squares = builder.apply("square", [builder.apply("subtract", [output, wanted])]);
  return builder.apply("mean", [squares], { axes: shape.map((_, axis) => axis).slice(1) });
}

/**
 * The mean of squared differences between a sample and what the model makes of it: what autoencoders make small. No
 * targets are needed; labels that a data set brings are not looked at.
 */
export function reconstruction(): Loss {
  return {
    name: "reconstruction",
    classes: false,
    usesTargets: false,
    target: labelsThatNobodyReads,
    build(builder, output, _, input) {
      if (elementCount(output.type.shape) !== elementCount(input.type.shape)) {
        throw new Error(
          `reconstruction: the model's output must have as many numbers as its input, got ${formatShape(output.type.shape.slice(1))} and ${formatShape(input.type.shape.slice(1))}; end it with a layer as wide as the input`,
        );
      }
      return meanSquares(builder, output, builder.apply("reshape", [input], { shape: output.type.shape }));
    },
  };
}

/**
 * By how much the label's number fails to be `margin` above the others, summed over these: Σ max(0, margin + x − x at the
 * label) (Weston and Watkins 1999). For outputs [classes] and class numbers as targets.
 */
export function hinge({ margin = 1 }: { readonly margin?: number } = {}): Loss {
  if (!(Number.isFinite(margin) && margin > 0)) {
    throw new Error(`hinge: the margin must be a number > 0, got ${margin}; try { margin: 1 }`);
  }
  return {
    name: "hinge",
    classes: true,
    target: (batch, output) => classTargets("hinge", batch, output),
    build(builder, output, target) {
      const { shape, dtype } = output.type;
      const right = builder.apply("oneHot", [target], { classes: shape[1], dtype });
      const own = builder.apply("sum", [builder.apply("multiply", [output, right])], { axes: [1] });
      const above = builder.apply("subtract", [output, builder.apply("broadcast", [own], { shape, axes: [0] })]);
      const short = builder.apply("relu", [builder.apply("add", [above, number(builder, margin, dtype)])]);
      // The label itself is exactly the margin short of being above itself.
      const total = builder.apply("sum", [short], { axes: [1] });
      return builder.apply("subtract", [total, number(builder, margin, dtype)]);
    },
  };
}

/** Nothing but what the model's own layers ask for, such as a Boltzmann machine; no targets are needed. */
export function ownObjective(): Loss {
  return {
    name: "own objective",
    classes: false,
    usesTargets: false,
    target: labelsThatNobodyReads,
    build(builder, output) {
      const { shape, dtype } = output.type;
      return builder.apply("full", [], { shape: [shape[0]], dtype, value: 0 });
    },
  };
}
