import { makeSchedule } from "../compiler/index.ts";
import { type Execution, referenceEngine } from "../engine/index.ts";
import { GraphBuilder, gradients } from "../ir/index.ts";
import { crossEntropy, type Loss, type Model, sampleLosses } from "../nn/index.ts";
import { operatorTable } from "../ops/index.ts";
import { formatShape, type HostTensor, random, sameShape, type TensorType, zeros } from "../tensor/index.ts";

/** How one parameter's gradient compares with central differences. */
export interface GradientCheck {
  /** The parameter's name, or `input`. */
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
  /** Samples [batch, …input] to check on, for models that do not take any numbers; random from −1 to 1 as a rule. */
  readonly inputs?: HostTensor;
  /** Whether gradients with respect to the input are checked too; true, but for inputs that are row numbers say false. */
  readonly checkInput?: boolean;
}

/**
 * Compares a model's gradients with (f(w + h) − f(w − h)) / 2h, in float64 on the reference engine and on random
 * samples. A relative error up to 1e-7 is what rounding leaves of a right gradient; up to 1e-4 at kinks such as relu's.
 *
 * @throws Error if the samples given do not fit the model
 */
export function checkGradients(model: Model, options: GradientCheckOptions = {}): GradientCheckReport {
  const { loss = crossEntropy(), seed = 1, elements = 20, inputs, checkInput = true } = options;
  const batch = inputs?.shape[0] ?? options.batch ?? 4;
  const shape = [batch, ...model.input];
  if (inputs !== undefined && !sameShape(inputs.shape, shape)) {
    throw new Error(
      `checkGradients: inputs must be [batch, ...${formatShape(model.input)}], got ${formatShape(inputs.shape)} (in ${model.name}); reshape them`,
    );
  }
  const source = random(seed);
  const values = new Map<string, Float64Array | Int32Array>();
  values.set("input", Float64Array.from((inputs ?? source.uniform(shape, -1, 1)).data));
  const target = zeros(loss.target(batch, model.output).shape, targetDtype(model, loss));
  for (let i = 0; i < target.data.length; i++) {
    target.data[i] = loss.classes ? Math.floor(source.nextUniform() * model.output[0]) : source.nextUniform();
  }
  values.set("target", target.data);
  for (const [index, { name }] of model.parameters.entries()) {
    const { data } = model.initialise()[index];
    // Zero biases and dead units would hide mistakes.
    const noise = random(7, index).uniform([data.length], -0.1, 0.1).data;
    values.set(
      name,
      Float64Array.from(data, (value, element) => value + noise[element]),
    );
  }
  for (const [index, { name }] of model.states.entries()) {
    values.set(name, Float64Array.from(model.initialStates()[index].data));
  }
  const names = [...model.parameters.map(({ name }) => name), ...(checkInput ? ["input"] : [])];
  const execution = load(model, loss, target, names);
  const at = (): number => {
    // Whatever may share its place with what is computed later is set anew for every run.
    for (const [name, data] of values) execution.input(name).set(data as never);
    execution.run();
    return execution.output("loss")[0];
  };
  at();
  const slopes = names.map((name) => Float64Array.from(execution.output(gradientName(name))));
  const rows = names.map((name, index): GradientCheck => {
    const numbers = values.get(name) as Float64Array;
    const scale = slopes[index].reduce((most, slope) => Math.max(most, Math.abs(slope)), 1e-3);
    const chosen = source.permutation(numbers.length).slice(0, elements);
    let worst = 0;
    for (const element of chosen) {
      const before = numbers[element];
      const step = 1e-5 * Math.max(1, Math.abs(before));
      numbers[element] = before + step;
      const above = at();
      numbers[element] = before - step;
      const numeric = (above - at()) / (2 * step);
      numbers[element] = before;
      worst = Math.max(worst, Math.abs(slopes[index][element] - numeric) / scale);
    }
    return { parameter: name, relativeError: worst, checked: chosen.length };
  });
  rows.sort((a, b) => b.relativeError - a.relativeError);
  return { kind: "gradient-check", title: model.name, rows, worst: rows[0]?.relativeError ?? 0 };
}

const gradientName = (name: string): string => `gradient of ${name}`;

const targetDtype = (model: Model, loss: Loss): "int32" | "float64" =>
  loss.target(1, model.output).dtype === "int32" ? "int32" : "float64";

/** The mean loss of a batch with its gradients with respect to what is named, on the reference engine. */
function load(model: Model, loss: Loss, target: TensorType, names: readonly string[]): Execution {
  const [batch] = target.shape;
  const builder = new GraphBuilder(operatorTable, `${model.name}, gradient check`);
  const input = builder.input("input", { shape: [batch, ...model.input], dtype: "float64" }, "data");
  const built = model.build(builder, input);
  const losses = sampleLosses(builder, loss, built, builder.input("target", target, "data"));
  const mean = builder.apply("scale", [builder.apply("sum", [losses], { axes: [0] })], { factor: 1 / batch });
  builder.output("loss", mean);
  const wanted = names.map((name, index) => (name === "input" ? input : built.parameters[index]));
  for (const [index, gradient] of gradients(builder, mean, wanted).entries()) {
    builder.output(gradientName(names[index]), gradient);
  }
  const engine = referenceEngine();
  const execution = engine.load(engine.compile(makeSchedule(builder.build())));
  if (execution instanceof Promise) throw new Error("internal: the reference engine loads at once");
  return execution;
}
