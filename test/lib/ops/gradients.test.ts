import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { type Execution, referenceEngine } from "../../../lib/engine/index.ts";
import { GraphBuilder, gradients, type OperatorGraph, type Value } from "../../../lib/ir/index.ts";
import { type OperatorName, operatorTable } from "../../../lib/ops/index.ts";
import { type HostTensor, isFloat, type Random, random } from "../../../lib/tensor/index.ts";
import { operatorSamples } from "../../support/operator-samples.ts";
import { drawInput } from "../../support/random-inputs.ts";
import { suite } from "../../support/suite.ts";

const test = suite("gradients of operators against central differences");

/** Where a function has a kink, its slope is checked only as exactly as a difference across it allows. */
const kinked: readonly string[] = [
  "abs",
  "relu",
  "maximum",
  "minimum",
  "reluGradient",
  "clip",
  "leakyRelu",
  "maxPool2d",
  "max",
];

/** What differences cannot tell, and where it is tested instead: in gradients-by-decree.test.ts. */
const decreed: readonly OperatorName[] = ["cast", "roundTo", "stopGradient"];
const samplesPerOperator = 6;

interface Probe {
  /** The loss alone, which differences ask for often. */
  readonly forward: OperatorGraph;
  readonly graph: OperatorGraph;
  readonly inputs: Map<string, HostTensor>;
  readonly checked: readonly string[];
}

/** loss = Σ weights · operator(inputs), with the gradient of each float input as an output. */
function probe(name: OperatorName, source: Random): Probe {
  const sample = operatorSamples[name](source);
  const builder = new GraphBuilder(operatorTable, name);
  const inputs = new Map<string, HostTensor>();
  const values = sample.inputs.map((input, index) => {
    const tensor = drawInput(input, "float64", source);
    inputs.set(`in${index}`, tensor);
    return builder.input(`in${index}`, tensor, "parameter");
  });
  const attributes = name === "full" ? { ...sample.attributes, dtype: "float64" } : sample.attributes;
  let loss: Value | null = null;
  for (const [index, output] of builder.applyAll(name, values, attributes).entries()) {
    if (!isFloat(output.type.dtype)) continue;
    const weights = drawInput({ shape: output.type.shape, low: -1, high: 1 }, "float64", source);
    inputs.set(`weights${index}`, weights);
    const product = builder.apply("multiply", [output, builder.input(`weights${index}`, weights, "data")]);
    const total = builder.apply("sum", [product], { axes: output.type.shape.map((_, axis) => axis) });
    loss = loss === null ? total : builder.apply("add", [loss, total]);
  }
  const wanted = values.filter(
    (value) => isFloat(value.type.dtype) && !constantInputs[name]?.includes(values.indexOf(value)),
  );
  builder.output("loss", loss as Value);
  const forward = builder.build();
  for (const [index, gradient] of gradients(builder, loss as Value, wanted).entries()) {
    builder.output(`gradient${values.indexOf(wanted[index])}`, gradient);
  }
  return { forward, graph: builder.build(), inputs, checked: wanted.map((value) => `${values.indexOf(value)}`) };
}

/** Inputs through which an operator has no slope: it only switches on their sign. */
const constantInputs: Partial<Record<OperatorName, number[]>> = { reluGradient: [1] };

function load(graph: OperatorGraph): Execution {
  const engine = referenceEngine();
  return engine.load(engine.compile(makeSchedule(graph))) as Execution;
}

/** The largest difference between a gradient and its central difference, relative to the largest slope. */
function worstError({ forward, graph, inputs, checked }: Probe): number {
  const set = (target: Execution): void => {
    for (const [name, { data }] of inputs) target.input(name).set(data as never);
  };
  const whole = load(graph);
  set(whole);
  whole.run();
  const analytic = new Map(checked.map((index) => [index, Float64Array.from(whole.output(`gradient${index}`))]));
  const execution = load(forward);
  let worst = 0;
  for (const index of checked) {
    const slopes = analytic.get(index) as Float64Array;
    const scale = Math.max(1, ...slopes.map(Math.abs));
    const { data } = inputs.get(`in${index}`) as HostTensor;
    for (let i = 0; i < data.length; i++) {
      const step = 1e-5 * Math.max(1, Math.abs(data[i]));
      const at = (delta: number): number => {
        set(execution);
        execution.input(`in${index}`)[i] = data[i] + delta;
        execution.run();
        return execution.output("loss")[0];
      };
      const numeric = (at(step) - at(-step)) / (2 * step);
      worst = Math.max(worst, Math.abs(slopes[i] - numeric) / scale);
    }
  }
  return worst;
}

for (const name of Object.keys(operatorTable) as OperatorName[]) {
  const declared = operatorTable[name];
  const differentiable = declared.gradient !== null && name !== "full" && !decreed.includes(name);
  if (!differentiable) continue;
  const limit = kinked.includes(name) ? 1e-4 : 1e-7;
  test(`${name}: relative error ≤ ${limit} in float64`, () => {
    for (let seed = 1; seed <= samplesPerOperator; seed++) {
      const error = worstError(probe(name, random(seed)));
      assert.ok(error <= limit, `seed ${seed}: ${error}`);
    }
  });
}

test("operators without a gradient say so when one is wanted", () => {
  for (const name of ["sign", "flush", "greaterOrEqual"] as const) {
    assert.throws(() => probe(name, random(1)), `got ${name}`);
  }
});

test.run();
