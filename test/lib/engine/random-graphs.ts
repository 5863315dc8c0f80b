import { GraphBuilder, gradients, type OperatorGraph, type Value } from "../../../lib/ir/index.ts";
import {
  averagePool,
  batchNorm,
  convolution,
  crossEntropy,
  dense,
  dropout,
  flatten,
  gelu,
  globalAveragePool,
  type Layer,
  layerNorm,
  type Model,
  maxPool,
  meanSquaredError,
  relu,
  sequential,
  sgd,
  sigmoid,
  tanh,
} from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { trainingGraph } from "../../../lib/training/index.ts";
import { extents } from "./wasm-cases.ts";

const unaries = ["negate", "square", "abs", "relu", "sigmoid", "tanh", "scale", "copy"] as const;
const binaries = ["add", "subtract", "multiply", "maximum", "reluGradient", "greaterOrEqual"] as const;

/** A graph of operators put together at random, with outputs anywhere and a parameter that is updated. */
export function randomGraph(seed: number): OperatorGraph {
  const draw = random(seed);
  const pick = <T>(choices: readonly T[]): T => choices[draw.next() % choices.length];
  const builder = new GraphBuilder(operatorTable, `random graph ${seed}`);
  const [n, c] = [pick(extents.slice(0, 12)), pick(extents.slice(0, 12))];
  const input = (shape: readonly number[], role: "data" | "parameter"): Value =>
    builder.input(`x${builder.build().inputs.length}`, { shape, dtype: "float32" }, role);
  const weight = input([c, c], "parameter");
  const bias = input([c], "parameter");
  const rate = input([], "parameter");
  const labels = builder.input(`labels of ${c}`, { shape: [n], dtype: "int32" }, "data");
  const wide = [input([n, c], "data"), input([n, c], "data")];
  const apply = (operator: string, inputs: readonly Value[], attributes = {}): Value =>
    builder.apply(operator, inputs, attributes);
  const steps: (() => Value)[] = [
    () => apply(pick(unaries.slice(0, 6)), [pick(wide)]),
    () => apply("scale", [pick(wide)], { factor: 0.5 }),
    () => apply("copy", [pick(wide)]),
    () => apply(pick(binaries), [pick(wide), pick(wide)]),
    () => apply(pick(binaries), [pick(wide), rate]),
    () => apply("scale", [apply("matmul", [pick(wide), weight], { transposeB: pick([false, true]) })], { factor: 0.2 }),
    () => apply("addBias", [pick(wide), bias], { axis: 1 }),
    () => apply("softmax", [pick(wide)]),
    () => apply("softmaxGradient", [pick(wide), pick(wide)]),
    () => apply("broadcast", [apply("sum", [pick(wide)], { axes: [1] })], { shape: [n, c], axes: [0] }),
    () => apply("broadcast", [apply("max", [pick(wide)], { axes: [0] })], { shape: [n, c], axes: [1] }),
    () => apply("reshape", [apply("reshape", [pick(wide)], { shape: [n * c] })], { shape: [n, c] }),
    () => apply("transpose", [apply("transpose", [pick(wide)], { permutation: [1, 0] })], { permutation: [1, 0] }),
    () => apply("multiply", [pick(wide), apply("full", [], { shape: [n, c], dtype: "float32", value: 1.5 })]),
    () => builder.applyAll("crossEntropy", [pick(wide), labels])[1],
    () => apply("crossEntropyGradient", [apply("max", [pick(wide)], { axes: [1] }), pick(wide), labels]),
    () => apply("tanh", [pick(wide)]),
  ];
  for (let count = 4 + (draw.next() % 12); count > 0; count--) wide.push(pick(steps)());
  builder.output("last", wide[wide.length - 1]);
  builder.output("some", pick(wide.slice(2)));
  const gradient = apply("matmul", [pick(wide), pick(wide)], { transposeA: true });
  const change = apply("multiply", [apply("tanh", [gradient]), rate]);
  builder.output(
    "weight",
    builder.inPhase("update", "", () => apply("subtract", [weight, change])),
    weight,
  );
  return builder.build();
}

/** A training step of a small model put together at random: widths, depth, activations, loss, optimiser. */
export function randomTraining(seed: number): OperatorGraph {
  const draw = random(seed);
  const pick = <T>(choices: readonly T[]): T => choices[draw.next() % choices.length];
  const layers = Array.from({ length: 1 + (draw.next() % 3) }, () => [
    dense(pick(extents)),
    pick([relu, sigmoid, tanh])(),
  ]).flat();
  const classes = pick([2, 3, 10]);
  const model: Model = sequential([...layers, dense(classes)], { input: [pick(extents)], seed });
  const loss = pick([crossEntropy(), meanSquaredError(), meanSquaredError({ classes: true })]);
  const optimizer = pick([sgd({ rate: 0.1 }), sgd({ rate: 0.1, momentum: 0.9 })]);
  return trainingGraph(model, optimizer, { batch: pick(extents), loss });
}

/** A training step of a small convolutional model: windows, groups, pooling, normalisation and dropout at random. */
export function randomConvolutional(seed: number, batches: readonly number[] = [1, 3, 4]): OperatorGraph {
  const draw = random(seed);
  const pick = <T>(choices: readonly T[]): T => choices[draw.next() % choices.length];
  const block = (): Layer[] => [
    convolution(pick([2, 4, 6]), {
      kernel: pick([1, 2, 3]),
      stride: pick([1, 1, 2]),
      padding: pick([0, 1]),
      groups: pick([1, 2]),
    }),
    ...pick([[], [batchNorm()]]),
    pick([relu, tanh, gelu])(),
    ...pick([[], [maxPool(2)], [averagePool(2, { stride: 1 })]]),
  ];
  const end = pick([[globalAveragePool()], [flatten(), dropout(0.3), dense(5), layerNorm()]]);
  const model = sequential([...block(), ...block(), ...end, dense(3)], { input: [2, pick([11, 12]), 13], seed });
  return trainingGraph(model, sgd({ rate: 0.1 }), { batch: pick(batches), loss: crossEntropy() });
}

/** A scalar function of a matrix and its gradient, in which every operand is read in more than one way. */
export function selfProduct(extent: number): OperatorGraph {
  const builder = new GraphBuilder(operatorTable, `self product ${extent}`);
  const x = builder.input("x", { shape: [extent, extent], dtype: "float32" }, "parameter");
  const y = builder.apply("matmul", [x, x], { transposeB: true });
  const loss = builder.apply("sum", [builder.apply("multiply", [y, y])], { axes: [0, 1] });
  const [gradient] = gradients(builder, loss, [x]);
  const step = builder.apply("scale", [gradient], { factor: 1e-4 });
  builder.output("loss", loss);
  builder.output("x", builder.apply("subtract", [x, step]), x);
  return builder.build();
}
