import { makeSchedule } from "../compiler/index.ts";
import { type Execution, referenceEngine } from "../engine/index.ts";
import { GraphBuilder, gradients } from "../ir/index.ts";
import { crossEntropy, type Loss, type Model, sampleLosses } from "../nn/index.ts";
import { operatorTable } from "../ops/index.ts";
import { type HostTensor, random, zeros } from "../tensor/index.ts";

/** How one parameter's gradient compares with central differences. */
export interface GradientCheck {
  readonly parameter: string;
  /** The largest difference over the checked elements, relative to the parameter's largest slope (at least 1e-3). */
  readonly relativeError: number;
  /** Elements that were checked. */
  readonly checked: number;
}

/** Gradients beside central differences, the worst first: plain data. */
export interface GradientCheckReport {
  readonly kind: "gradient-check";
  readonly title: string;
  readonly rows: readonly GradientCheck[];
  /** The largest relative error of all. */
  readonly worst: number;
}

/** On what a model's gradients are checked. */
export interface GradientCheckOptions {
  readonly loss?: Loss;
  /** Samples; 4 unless told otherwise. */
  readonly batch?: number;
  /** Seed of the samples and of the choice of elements. */
  readonly seed?: number;
  /** Elements of each parameter that are checked, chosen at random; 20 unless told otherwise. */
  readonly elements?: number;
}

/**
 * Compares a model's gradients with (f(w + h) − f(w − h)) / 2h, in float64 on the reference engine and on random
 * samples. A relative error up to 1e-7 is what rounding leaves of a right gradient; up to 1e-4 at kinks such as relu's.
 */
export function checkGradients(model: Model, options: GradientCheckOptions = {}): GradientCheckReport {
  const { loss = crossEntropy(), batch = 4, seed = 1, elements = 20 } = options;
  const source = random(seed);
  const execution = load(model, loss, batch, source.uniform([batch, ...model.input], -1, 1), (target) => {
    for (let i = 0; i < target.data.length; i++) {
      target.data[i] = loss.classes ? Math.floor(source.nextUniform() * model.output[0]) : source.nextUniform();
    }
  });
  const at = (): number => {
    execution.run();
    return execution.output("loss")[0];
  };
  at();
  const slopes = model.parameters.map(({ name }) => Float64Array.from(execution.output(gradientName(name))));
  const rows = model.parameters.map(({ name }, index): GradientCheck => {
    const weights = execution.input(name);
    const scale = slopes[index].reduce((most, slope) => Math.max(most, Math.abs(slope)), 1e-3);
    const chosen = source.permutation(weights.length).slice(0, elements);
    let worst = 0;
    for (const element of chosen) {
      const before = weights[element];
      const step = 1e-5 * Math.max(1, Math.abs(before));
      weights[element] = before + step;
      const above = at();
      weights[element] = before - step;
      const numeric = (above - at()) / (2 * step);
      weights[element] = before;
      worst = Math.max(worst, Math.abs(slopes[index][element] - numeric) / scale);
    }
    return { parameter: name, relativeError: worst, checked: chosen.length };
  });
  rows.sort((a, b) => b.relativeError - a.relativeError);
  return { kind: "gradient-check", title: model.name, rows, worst: rows[0]?.relativeError ?? 0 };
}

const gradientName = (parameter: string): string => `gradient of ${parameter}`;

function load(
  model: Model,
  loss: Loss,
  batch: number,
  samples: HostTensor,
  fillTarget: (target: HostTensor) => void,
): Execution {
  const builder = new GraphBuilder(operatorTable, `${model.name}, gradient check`);
  const input = builder.input("input", { shape: [batch, ...model.input], dtype: "float64" }, "data");
  const built = model.build(builder, input);
  const type = loss.target(batch, model.output);
  const target = zeros(type.shape, type.dtype === "int32" ? "int32" : "float64");
  fillTarget(target);
  const losses = sampleLosses(builder, loss, built, builder.input("target", target, "data"));
  const mean = builder.apply("scale", [builder.apply("sum", [losses], { axes: [0] })], { factor: 1 / batch });
  builder.output("loss", mean);
  for (const [index, gradient] of gradients(builder, mean, built.parameters).entries()) {
    builder.output(gradientName(model.parameters[index].name), gradient);
  }
  const engine = referenceEngine();
  const execution = engine.load(engine.compile(makeSchedule(builder.build())));
  if (execution instanceof Promise) throw new Error("internal: the reference engine loads at once");
  // Data may share its place with what is computed later, so it is set anew for every run.
  const run = execution.run.bind(execution);
  execution.run = () => {
    execution.input("input").set(samples.data as never);
    execution.input("target").set(target.data as never);
    run();
  };
  for (const [index, { name }] of model.parameters.entries()) {
    const { data } = model.initialise()[index];
    // Zero biases and dead units would hide mistakes.
    const noise = random(7, index).uniform([data.length], -0.1, 0.1).data;
    execution.input(name).set(data.map((value, element) => value + noise[element]));
  }
  return execution;
}
