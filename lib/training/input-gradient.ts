import { makeSchedule } from "../compiler/index.ts";
import { GraphBuilder, gradients, type OperatorGraph, type Value } from "../ir/index.ts";
import { sampleLosses } from "../nn/index.ts";
import { operatorTable } from "../ops/index.ts";
import { elementCount, formatShape, formatType, type HostTensor, isFloat, sameShape, zeros } from "../tensor/index.ts";
import { names } from "./graphs.ts";
import { layerOutput } from "./layer-output.ts";
import type { ProgramParts } from "./parts.ts";

/** Of what the gradient is taken, for each sample a number. */
export type GradientSource =
  /** The loss; needs targets, unless the loss asks for none. */
  | "loss"
  /** One number of the model's output by its place, such as a class. */
  | { readonly output: number }
  /**
   * The mean of squares of what a layer gives, by the layer's path, such as `convolution2`; with a channel, the mean of
   * that one map (or unit) alone, not squared: what the channel looks for.
   */
  | { readonly layer: string; readonly channel?: number };

/** Of what, and compared with what. */
export interface InputGradientOptions {
  /** `loss` unless told otherwise. */
  readonly of?: GradientSource;
  /** What the loss compares with, such as one class number per sample. */
  readonly targets?: HostTensor;
}

/** Numbers and their slopes. */
export interface InputGradient {
  /** What the gradient is of, for each sample: [samples]. */
  readonly values: HostTensor<"float32">;
  /** How each sample's number changes with each of its inputs: [samples, …input]. */
  readonly gradient: HostTensor<"float32">;
}

/** The gradient with respect to the input; see `Program.inputGradient`. */
export async function inputGradient(
  parts: ProgramParts,
  inputs: HostTensor,
  { of = "loss", targets }: InputGradientOptions,
): Promise<InputGradient> {
  const { model, loss, executions } = parts;
  const [count, ...sample] = inputs.shape;
  if (!isFloat(inputs.dtype) || !sameShape(sample, model.input) || count === 0) {
    throw new Error(
      `inputGradient: inputs must be floats [samples, ...${formatShape(model.input)}], got ${formatType(inputs)}; give at least one sample as the network sees it`,
    );
  }
  const wanted = loss.target(count, model.output);
  const fits = targets !== undefined && sameShape(targets.shape, wanted.shape) && targets.dtype === wanted.dtype;
  const needed = of === "loss" && loss.usesTargets !== false;
  if ((needed || targets !== undefined) && !fits) {
    const got = targets === undefined ? "none" : formatType(targets);
    throw new Error(
      `inputGradient: targets must be ${formatType(wanted)} for ${loss.name}, got ${got}; give { targets }`,
    );
  }
  const execution = await executions.acquireOther(`gradient of ${JSON.stringify(of)}, ${count}`, () =>
    makeSchedule(gradientGraph(parts, of, count)),
  );
  execution.input(names.input).set(inputs.data as never);
  if (targets !== undefined) execution.input(names.target).set(targets.data as never);
  execution.run();
  const values = zeros([count]);
  values.data.set(execution.output("values") as Float32Array);
  const gradient = zeros(inputs.shape);
  gradient.data.set(execution.output("gradient") as Float32Array);
  return { values, gradient };
}

/** The model as it answers, the chosen numbers, and the gradient of their sum: samples do not see each other. */
function gradientGraph({ model, loss, dtype }: ProgramParts, of: GradientSource, batch: number): OperatorGraph {
  const builder = new GraphBuilder(operatorTable, `${model.name}, input gradient`);
  const input = builder.input(names.input, { shape: [batch, ...model.input], dtype }, "data");
  const built = model.build(builder, input, "inference");
  const type = loss.target(batch, model.output);
  const target = builder.input(names.target, type.dtype === "int32" ? type : { ...type, dtype }, "data");
  const values = builder.inLayer("loss", () => {
    if (of === "loss") return sampleLosses(builder, loss, built, target);
    return "output" in of ? outputAt(builder, built.output, of.output) : activityOf(builder, of);
  });
  const total = builder.apply("sum", [values], { axes: [0] });
  builder.output("values", values);
  builder.output("gradient", gradients(builder, total, [input])[0]);
  return builder.build();
}

function outputAt(builder: GraphBuilder, output: Value, place: number): Value {
  const [batch, ...sample] = output.type.shape;
  const count = elementCount(sample);
  if (!Number.isInteger(place) || place < 0 || place >= count) {
    throw new Error(
      `inputGradient: output must be from 0 to ${count - 1}, got ${place}; choose one of the model's outputs`,
    );
  }
  const flat = builder.apply("reshape", [output], { shape: [batch, count] });
  const column = builder.apply("slice", [flat], { starts: [0, place], sizes: [batch, 1] });
  return builder.apply("reshape", [column], { shape: [batch] });
}

function activityOf(builder: GraphBuilder, { layer, channel }: { layer: string; channel?: number }): Value {
  const given = layerOutput(builder, layer, "inputGradient");
  const [batch, channels, ...plane] = given.type.shape;
  const rest = given.type.shape.map((_, axis) => axis).slice(1);
  if (channel === undefined) return builder.apply("mean", [builder.apply("square", [given])], { axes: rest });
  if (!Number.isInteger(channel) || channel < 0 || channel >= channels) {
    throw new Error(
      `inputGradient: channel must be from 0 to ${channels - 1}, got ${channel} (of ${layer}, ${formatShape(given.type.shape.slice(1))}); choose one of them`,
    );
  }
  const starts = given.type.shape.map((_, axis) => (axis === 1 ? channel : 0));
  const map = builder.apply("slice", [given], { starts, sizes: [batch, 1, ...plane] });
  return builder.apply("mean", [map], { axes: rest });
}
