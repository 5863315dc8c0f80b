import * as assert from "uvu/assert";
import { type Attributes, ConstraintError, completeAttributes, inferOutputTypes } from "../../../lib/ir/index.ts";
import { type OperatorName, operatorTable } from "../../../lib/ops/index.ts";
import type { Dtype, TensorType } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("constraints of operators");

const t = (dtype: Dtype, ...shape: number[]): TensorType => ({ dtype, shape });
const f = (...shape: number[]): TensorType => t("float32", ...shape);

interface Breach {
  readonly inputs: readonly TensorType[];
  readonly attributes?: Attributes;
}

const notFloat: Breach = { inputs: [t("int32", 2)] };
const notOneType: Breach = { inputs: [f(2), t("float64", 2)] };
const shapesDiffer: Breach = { inputs: [f(2, 3), f(3, 2)] };
const unary = { C1: notFloat };
const binary = { C1: notOneType, C2: shapesDiffer };
const axes = {
  C1: { ...notFloat, attributes: { axes: [0] } },
  C2: { inputs: [f(2, 3)], attributes: { axes: [1, 1] } },
};

const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
const pictures = f(1, 2, 4, 4);
const pooling = {
  C1: { inputs: [f(2, 4, 4)], attributes: window },
  C2: { inputs: [pictures], attributes: { ...window, stride: [0, 1] } },
  C3: { inputs: [pictures], attributes: { ...window, padding: [2, 0] } },
  C4: { inputs: [pictures], attributes: { ...window, kernel: [5, 5] } },
};
const maps = f(1, 2, 2, 2);
const indices = t("int32", 1, 2, 2, 2);
const size = [4, 4];

const channelWindow = {
  C1: { inputs: [f(4)], attributes: { size: 3 } },
  C2: { inputs: [pictures], attributes: { size: 4 } },
};

const alongAxis = {
  C1: { inputs: [f(2, 3), f(3, 1)], attributes: { axis: 1 } },
  C2: { inputs: [f(2, 3), f(3)], attributes: { axis: 2 } },
  C3: { inputs: [f(2, 3), f(3)], attributes: { axis: 0 } },
};

/** For every constraint of every operator, an application that breaks it. */
const breaches: { readonly [Name in OperatorName]: Readonly<Record<string, Breach>> } = {
  negate: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  square: unary,
  abs: unary,
  sign: unary,
  relu: unary,
  sigmoid: unary,
  tanh: unary,
  softplus: unary,
  erf: unary,
  gelu: unary,
  power: {
    C1: { ...notFloat, attributes: { exponent: 2 } },
    C2: { inputs: [f(2)], attributes: { exponent: Number.NaN } },
  },
  flush: {
    C1: { ...notFloat, attributes: { below: 1 } },
    C2: { inputs: [f(2)], attributes: { below: 0 } },
  },
  clip: {
    C1: { ...notFloat, attributes: { low: 0, high: 1 } },
    C2: { inputs: [f(2)], attributes: { low: 1, high: 0 } },
  },
  leakyRelu: unary,
  scale: { C1: { ...notFloat, attributes: { factor: 2 } } },
  add: binary,
  subtract: binary,
  multiply: binary,
  divide: binary,
  maximum: binary,
  minimum: binary,
  greaterOrEqual: binary,
  reluGradient: binary,
  sigmoidGradient: binary,
  tanhGradient: binary,
  matmul: { C1: { inputs: [f(2), f(2, 3)] }, C2: { inputs: [f(2, 3), f(4, 5)] } },
  batchMatmul: {
    C1: { inputs: [f(2, 3), f(3, 2)] },
    C2: { inputs: [f(2, 3, 4), f(3, 4, 5)] },
    C3: { inputs: [f(2, 3, 4), f(2, 3, 4)] },
  },
  addBias: alongAxis,
  scaleAlong: alongAxis,
  convolution2d: {
    C1: { inputs: [f(2, 4, 4), f(3, 2, 3, 3)] },
    C2: { inputs: [pictures, f(3, 2, 3, 3)], attributes: { padding: [-1, 0] } },
    C3: { inputs: [pictures, f(3, 1, 3, 3)], attributes: { groups: 2 } },
    C4: { inputs: [pictures, f(3, 2, 5, 5)] },
  },
  convolution2dInputGradient: {
    C1: { inputs: [f(2, 4, 4), f(2, 2, 3, 3)], attributes: { size } },
    C2: { inputs: [maps, f(2, 2, 3, 3)], attributes: { size, stride: [1, 0] } },
    C3: { inputs: [maps, f(3, 2, 3, 3)], attributes: { size } },
    C4: { inputs: [maps, f(2, 2, 3, 3)], attributes: { size: [5, 4] } },
  },
  convolution2dWeightGradient: {
    C1: { inputs: [pictures, f(2, 2, 2)], attributes: { kernel: [3, 3] } },
    C2: { inputs: [pictures, maps], attributes: { kernel: [3] } },
    C3: { inputs: [pictures, maps], attributes: { kernel: [3, 3], groups: 3 } },
    C4: { inputs: [pictures, maps], attributes: { kernel: [2, 2] } },
  },
  maxPool2d: pooling,
  maxPool2dGradient: {
    C1: { inputs: [maps, maps], attributes: { ...window, size } },
    C2: { inputs: [maps, indices], attributes: { ...window, stride: [0, 1], size } },
    C3: { inputs: [maps, indices], attributes: { ...window, padding: [2, 0], size } },
    C4: { inputs: [maps, indices], attributes: { ...window, size: [6, 4] } },
  },
  maxPool2dTake: {
    C1: { inputs: [pictures, maps], attributes: window },
    C2: { inputs: [pictures, indices], attributes: { ...window, stride: [0, 1] } },
    C3: { inputs: [pictures, indices], attributes: { ...window, padding: [2, 0] } },
    C4: { inputs: [pictures, t("int32", 1, 2, 2, 3)], attributes: window },
  },
  averagePool2d: pooling,
  averagePool2dGradient: {
    C1: { inputs: [f(2, 2, 2)], attributes: { ...window, size } },
    C2: { inputs: [maps], attributes: { ...window, stride: [0, 1], size } },
    C3: { inputs: [maps], attributes: { ...window, padding: [2, 0], size } },
    C4: { inputs: [maps], attributes: { ...window, size: [6, 4] } },
  },
  channelWindowSum: channelWindow,
  localResponseNorm: { ...channelWindow, C3: { inputs: [pictures], attributes: { bias: 0 } } },
  sum: axes,
  mean: { ...axes, C3: { inputs: [f(0, 3)], attributes: { axes: [0] } } },
  max: axes,
  argmax: { C1: { inputs: [f()] }, C2: { inputs: [f(3, 0)] } },
  reshape: {
    C1: { inputs: [], attributes: { shape: [2] } },
    C2: { inputs: [f(2, 3)], attributes: { shape: [5] } },
  },
  transpose: {
    C1: { inputs: [], attributes: { permutation: [] } },
    C2: { inputs: [f(2, 3)], attributes: { permutation: [0, 0] } },
  },
  broadcast: {
    C1: { inputs: [], attributes: { shape: [2], axes: [] } },
    C2: { inputs: [f(2, 3)], attributes: { shape: [3, 2], axes: [1, 0] } },
    C3: { inputs: [f(2)], attributes: { shape: [2, 3], axes: [1] } },
  },
  slice: {
    C1: { inputs: [], attributes: { starts: [], sizes: [] } },
    C2: { inputs: [f(2, 3)], attributes: { starts: [0], sizes: [1] } },
    C3: { inputs: [f(2, 3)], attributes: { starts: [0, 2], sizes: [1, 2] } },
  },
  pad: {
    C1: { inputs: [], attributes: { before: [], after: [] } },
    C2: { inputs: [f(2)], attributes: { before: [-1], after: [0] } },
  },
  concat: {
    C1: { inputs: [f(2), t("int32", 2)], attributes: { axis: 0 } },
    C2: { inputs: [f(2)], attributes: { axis: 1 } },
    C3: { inputs: [f(2, 3), f(2, 4)], attributes: { axis: 0 } },
  },
  split: {
    C1: { inputs: [], attributes: { axis: 0, parts: 1 } },
    C2: { inputs: [f(4)], attributes: { axis: 1, parts: 2 } },
    C3: { inputs: [f(4)], attributes: { axis: 0, parts: 3 } },
  },
  dropout: {
    C1: { inputs: [f(2), f()], attributes: { rate: 0.5, seed: 1 } },
    C2: { inputs: [f(2), t("int32")], attributes: { rate: 1, seed: 1 } },
    C3: { inputs: [f(2), t("int32")], attributes: { rate: 0.5, seed: -1 } },
  },
  increment: { C1: { inputs: [f(2)] } },
  gather: { C1: { inputs: [t("int32", 4), t("int32", 2)] }, C2: { inputs: [f(4), f(2)] } },
  scatterAdd: {
    C1: { inputs: [t("int32", 4), t("int32", 4)], attributes: { rows: 3 } },
    C2: { inputs: [f(4), t("int32", 5)], attributes: { rows: 3 } },
    C3: { inputs: [f(4), t("int32", 4)], attributes: { rows: 0.5 } },
  },
  copy: { C1: { inputs: [] } },
  cast: { C1: { inputs: [t("float16", 2)], attributes: { dtype: "float32" } } },
  roundTo: { C1: { ...notFloat, attributes: { format: "float16" } } },
  pack: {
    C1: { inputs: [f(2, 2)], attributes: { format: "float16" } },
    C2: { inputs: [f(3)], attributes: { format: "float16" } },
  },
  unpack: { C1: { inputs: [f(2)], attributes: { format: "float16" } } },
  quantize: { C1: { inputs: [f(2, 4), f(3)] }, C2: { inputs: [f(2, 6), f(2)] } },
  dequantize: { C1: { inputs: [f(2, 4), f(2)] } },
  move: { C1: { inputs: [], attributes: { to: "host" } } },
  stopGradient: { C1: { inputs: [] } },
  uniform: {
    C1: { inputs: [f()], attributes: { shape: [2], seed: 1 } },
    C2: { inputs: [t("int32")], attributes: { shape: [-2], seed: 1 } },
    C3: { inputs: [t("int32")], attributes: { shape: [2], seed: 0.5 } },
  },
  full: {
    C1: { inputs: [f()], attributes: { shape: [], dtype: "float32", value: 0 } },
    C2: { inputs: [], attributes: { shape: [-1], dtype: "float32", value: 0 } },
  },
  logSoftmax: { C1: { inputs: [f()] } },
  softmax: { C1: { inputs: [f()] } },
  softmaxGradient: { C1: shapesDiffer },
  crossEntropy: { C1: { inputs: [f(4), t("int32", 4)] }, C2: { inputs: [f(4, 10), t("int32", 5)] } },
  crossEntropyGradient: {
    C1: { inputs: [f(3), f(4, 10), t("int32", 4)] },
    C2: { inputs: [f(4), f(4, 10), f(4)] },
  },
  oneHot: {
    C1: { inputs: [f(4)], attributes: { classes: 10 } },
    C2: { inputs: [t("int32", 4)], attributes: { classes: 0 } },
  },
};

for (const [name, byNumber] of Object.entries(breaches)) {
  test(`${name}: every constraint is enforced, with its number, what was given and a remedy`, () => {
    const operator = operatorTable[name as OperatorName];
    assert.equal(Object.keys(byNumber), Object.keys(operator.constraints), "each constraint has a breach here");
    for (const [number, { inputs, attributes = {} }] of Object.entries(byNumber)) {
      const complete = completeAttributes(name, operator.attributes, attributes);
      try {
        inferOutputTypes(operator, inputs, complete, "dense1");
        assert.unreachable(`${name} accepts a breach of ${number}`);
      } catch (error) {
        assert.instance(error, ConstraintError);
        const { rule, remedy } = operator.constraints[number];
        assert.ok((error as Error).message.startsWith(`${name}: ${rule} (${number}), got `), String(error));
        assert.ok((error as Error).message.endsWith(`(in layer dense1); ${remedy}`), String(error));
      }
    }
  });
}

test("attributes must be known and of their kind", () => {
  const complete = (attributes: Attributes): Attributes =>
    completeAttributes("matmul", operatorTable.matmul.attributes, attributes);
  assert.equal(complete({}), { transposeA: false, transposeB: false });
  assert.throws(() => complete({ transpose: true }), "this operator takes transposeA, transposeB");
  assert.throws(() => complete({ transposeA: 1 }), "matmul: transposeA must be a boolean, got 1");
});

test.run();
