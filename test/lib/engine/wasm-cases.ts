import { makeSchedule, type Schedule } from "../../../lib/compiler/index.ts";
import { type Engine, type Execution, referenceEngine } from "../../../lib/engine/index.ts";
import { type Attributes, GraphBuilder, type OperatorGraph, type Value } from "../../../lib/ir/index.ts";
import { type OperatorName, operatorTable } from "../../../lib/ops/index.ts";
import { elementCount, type Random, random, type Shape } from "../../../lib/tensor/index.ts";
import { operatorSamples } from "../../support/operator-samples.ts";

/** Extents around the edges of lanes, tiles and panels. */
export const extents = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100] as const;

/** Builds one application of an operator to inputs of random shapes; returns what it gives. */
type Case = (build: CaseBuilder) => readonly Value[];

/** A graph builder with random shapes. */
class CaseBuilder {
  readonly builder: GraphBuilder;
  readonly #random: Random;
  #count = 0;

  constructor(name: string, seed: number) {
    this.builder = new GraphBuilder(operatorTable, name);
    this.#random = random(seed);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.#random.next() % choices.length];
  }

  extent(): number {
    return this.pick(extents);
  }

  shape(rank: number): number[] {
    // Small ranks may be long; of many axes each must be short.
    return Array.from({ length: rank }, () => (rank > 2 ? this.pick(extents.slice(0, 9)) : this.extent()));
  }

  input(shape: Shape): Value {
    return this.builder.input(`x${this.#count++}`, { shape, dtype: "float32" }, "data");
  }

  labels(count: number, classes: number): Value {
    return this.builder.input(`labels${this.#count++} of ${classes}`, { shape: [count], dtype: "int32" }, "data");
  }

  /** Inputs and attributes drawn as the tests of gradients draw theirs. */
  sample(operator: OperatorName): { readonly values: readonly Value[]; readonly attributes?: Attributes } {
    const { inputs, attributes } = operatorSamples[operator](this.#random);
    const values = inputs.map(({ shape, classes }) => {
      if (classes === undefined) return this.input(shape);
      const name = `labels${this.#count++} of ${classes}`;
      return this.builder.input(name, { shape, dtype: "int32" }, "data");
    });
    return { values, attributes };
  }

  apply(operator: OperatorName, inputs: readonly Value[], attributes = {}): readonly Value[] {
    return this.builder.applyAll(operator, inputs, attributes);
  }
}

const unary =
  (operator: OperatorName): Case =>
  (c) =>
    c.apply(operator, [c.input(c.shape(c.pick([0, 1, 2, 3])))]);

const binary =
  (operator: OperatorName): Case =>
  (c) => {
    const shape = c.shape(c.pick([0, 1, 2, 3]));
    const operands = c.pick([
      [shape, shape],
      [[], shape],
      [shape, []],
    ]);
    return c.apply(
      operator,
      operands.map((operand) => c.input(operand)),
    );
  };

const reduction =
  (operator: OperatorName): Case =>
  (c) => {
    const rank = c.pick([1, 2, 3]);
    const all = [...Array(rank).keys()];
    const axes = c.pick([all, [0], [rank - 1], all.slice(1), [], rank === 3 ? [0, 2] : all]);
    return c.apply(operator, [c.input(c.shape(rank))], { axes });
  };

const rows =
  (operator: OperatorName, operands: number): Case =>
  (c) => {
    const shape = c.shape(c.pick([1, 2, 3]));
    return c.apply(
      operator,
      Array.from({ length: operands }, () => c.input(shape)),
    );
  };

const alongAxis =
  (operator: OperatorName): Case =>
  (c) => {
    const shape = c.shape(c.pick([1, 2, 3]));
    const axis = c.pick([...shape.keys()]);
    return c.apply(operator, [c.input(shape), c.input([shape[axis]])], { axis });
  };

/** What `operatorSamples` draws, for operators whose shapes and attributes depend on each other. */
const sampled =
  (operator: OperatorName): Case =>
  (c) => {
    const { values, attributes } = c.sample(operator);
    return c.apply(operator, values, attributes);
  };

/** One case per operator: an operator without one does not compile. */
const cases: { readonly [Name in OperatorName]: Case } = {
  negate: unary("negate"),
  exp: unary("exp"),
  log: unary("log"),
  sqrt: unary("sqrt"),
  square: unary("square"),
  abs: unary("abs"),
  sign: unary("sign"),
  relu: unary("relu"),
  sigmoid: unary("sigmoid"),
  tanh: unary("tanh"),
  softplus: unary("softplus"),
  erf: unary("erf"),
  gelu: unary("gelu"),
  power: sampled("power"),
  clip: sampled("clip"),
  flush: sampled("flush"),
  leakyRelu: sampled("leakyRelu"),
  scale: (c) => c.apply("scale", [c.input(c.shape(2))], { factor: -0.7 }),
  add: binary("add"),
  subtract: binary("subtract"),
  multiply: binary("multiply"),
  divide: binary("divide"),
  maximum: binary("maximum"),
  minimum: binary("minimum"),
  greaterOrEqual: binary("greaterOrEqual"),
  reluGradient: binary("reluGradient"),
  sigmoidGradient: binary("sigmoidGradient"),
  tanhGradient: binary("tanhGradient"),
  matmul: (c) => {
    const [m, k, n] = [c.extent(), c.extent(), c.extent()];
    const [transposeA, transposeB] = [c.pick([false, true]), c.pick([false, true])];
    const a = c.input(transposeA ? [k, m] : [m, k]);
    const b = c.input(transposeB ? [n, k] : [k, n]);
    return c.apply("matmul", [a, b], { transposeA, transposeB });
  },
  batchMatmul: (c) => {
    const [m, k, n] = [c.extent(), c.extent(), c.extent()];
    const count = c.pick([1, 2, 5]);
    const [transposeA, transposeB] = [c.pick([false, true]), c.pick([false, true])];
    const a = c.input([count, ...(transposeA ? [k, m] : [m, k])]);
    const b = c.input([count, ...(transposeB ? [n, k] : [k, n])]);
    return c.apply("batchMatmul", [a, b], { transposeA, transposeB });
  },
  addBias: alongAxis("addBias"),
  scaleAlong: alongAxis("scaleAlong"),
  convolution2d: sampled("convolution2d"),
  convolution2dInputGradient: sampled("convolution2dInputGradient"),
  convolution2dWeightGradient: sampled("convolution2dWeightGradient"),
  maxPool2d: sampled("maxPool2d"),
  maxPool2dGradient: (c) => {
    // Indices must be those of a maximum in the same window.
    const { values, attributes } = c.sample("maxPool2d");
    const [y, index] = c.apply("maxPool2d", values, attributes);
    const size = values[0].type.shape.slice(2);
    return c.apply("maxPool2dGradient", [c.apply("square", [y])[0], index], { ...attributes, size });
  },
  maxPool2dTake: (c) => {
    const { values, attributes } = c.sample("maxPool2d");
    const [, index] = c.apply("maxPool2d", values, attributes);
    return c.apply("maxPool2dTake", [c.apply("tanh", values)[0], index], attributes);
  },
  averagePool2d: sampled("averagePool2d"),
  averagePool2dGradient: sampled("averagePool2dGradient"),
  channelWindowSum: sampled("channelWindowSum"),
  localResponseNorm: sampled("localResponseNorm"),
  sum: reduction("sum"),
  mean: reduction("mean"),
  max: reduction("max"),
  argmax: rows("argmax", 1),
  reshape: (c) => {
    const [a, b] = c.shape(2);
    const x = c.input([a, b]);
    // A view of an input needs something that reads it, or there is nothing to execute.
    return c.apply("addBias", [...c.apply("reshape", [x], { shape: [b, a] }), c.input([a])], { axis: 1 });
  },
  transpose: (c) => {
    const shape = c.shape(c.pick([1, 2, 3]));
    const axes = [...shape.keys()];
    const permutation = c.pick([axes, [...axes].reverse(), [...axes.slice(1), 0]]);
    return c.apply("transpose", [c.input(shape)], { permutation });
  },
  broadcast: (c) => {
    const shape = c.shape(c.pick([1, 2, 3]));
    const axes = [...shape.keys()].filter(() => c.pick([false, true]));
    return c.apply("broadcast", [c.input(axes.map((axis) => shape[axis]))], { shape, axes });
  },
  slice: sampled("slice"),
  pad: sampled("pad"),
  concat: sampled("concat"),
  split: sampled("split"),
  dropout: sampled("dropout"),
  increment: sampled("increment"),
  gather: sampled("gather"),
  scatterAdd: sampled("scatterAdd"),
  copy: unary("copy"),
  cast: sampled("cast"),
  roundTo: (c) => {
    // Times a power of two, so that all is met: what is too small, subnormal, ordinary and too large.
    const scaled = c.apply("scale", [c.input(c.shape(2))], { factor: 2 ** c.pick([-30, -20, -14, 0, 10, 15, 17]) });
    return c.apply("roundTo", scaled, { format: c.pick(["float16", "bfloat16"]) });
  },
  pack: (c) => {
    const scaled = c.apply("scale", [c.input([2 * c.extent()])], {
      factor: 2 ** c.pick([-30, -20, -14, 0, 10, 15, 17]),
    });
    return c.apply("pack", scaled, { format: c.pick(["float16", "bfloat16"]) });
  },
  unpack: sampled("unpack"),
  quantize: sampled("quantize"),
  dequantize: sampled("dequantize"),
  move: sampled("move"),
  stopGradient: (c) => c.apply("square", c.apply("stopGradient", [c.input(c.shape(2))])),
  uniform: sampled("uniform"),
  full: (c) => c.apply("full", [], { shape: c.shape(2), dtype: c.pick(["float32", "int32"]), value: 3 }),
  softmax: rows("softmax", 1),
  logSoftmax: rows("logSoftmax", 1),
  softmaxGradient: rows("softmaxGradient", 2),
  crossEntropy: (c) => {
    const [n, classes] = c.shape(2);
    return c.apply("crossEntropy", [c.input([n, classes]), c.labels(n, classes)]);
  },
  crossEntropyGradient: (c) => {
    const [n, classes] = c.shape(2);
    return c.apply("crossEntropyGradient", [c.input([n]), c.input([n, classes]), c.labels(n, classes)]);
  },
  oneHot: (c) => {
    const [n, classes] = c.shape(2);
    return c.apply("oneHot", [c.labels(n, classes)], { classes });
  },
};

/** The graph of one operator's case, with every result as an output. */
export function caseGraph(operator: OperatorName, seed: number): OperatorGraph {
  const build = new CaseBuilder(`${operator}, seed ${seed}`, seed);
  for (const [index, value] of cases[operator](build).entries()) build.builder.output(`y${index}`, value);
  return build.builder.build();
}

/**
 * Seeded numbers for a graph's inputs, by name: labels with class numbers, the rest around 0, or above it. Data has to be
 * given before each run, the others once.
 */
export function drawInputs(
  graph: OperatorGraph,
  seed: number,
  { dataOnly = false, positive = false } = {},
): ReadonlyMap<string, Float32Array> {
  const draw = random(seed);
  const drawn = new Map<string, Float32Array>();
  for (const { name, value, role } of graph.inputs) {
    if (dataOnly && role !== "data") continue;
    const classes = Number(name.split(" of ")[1] ?? 10);
    const next = (): number => {
      if (value.type.dtype === "int32") return draw.next() % classes;
      // Small weights and rates, so that training neither explodes nor amplifies what rounding does.
      if (role === "hyperparameter") return 0.05;
      if (role !== "data") return 0.2 * draw.nextNormal();
      return positive ? 0.1 + draw.nextUniform() : draw.nextNormal();
    };
    drawn.set(name, Float32Array.from({ length: elementCount(value.type.shape) }, next));
  }
  return drawn;
}

/** Gives an execution what `drawInputs` draws. */
export function fillInputs(execution: Execution, seed: number, dataOnly: boolean, positive = false): void {
  const { graph } = execution.program.schedule;
  for (const [name, data] of drawInputs(graph, seed, { dataOnly, positive })) execution.input(name).set(data);
}

/** The largest difference of two tensors, relative to the largest magnitude of the first; NaN must meet NaN. */
export function difference(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  let magnitude = 2 ** -126;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [expected[i], actual[i]];
    if (Number.isFinite(a)) magnitude = Math.max(magnitude, Math.abs(a));
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    // From or to infinity or NaN is as far as can be.
    largest = Math.max(largest, Number.isFinite(a - b) ? Math.abs(a - b) : Number.POSITIVE_INFINITY);
  }
  return largest / magnitude;
}

/** The outputs of some runs of a schedule on an engine, from seeded inputs. */
export async function outputsOf(
  engine: Engine,
  schedule: Schedule,
  options: RunOptions,
): Promise<ReadonlyMap<string, ArrayLike<number>>> {
  const execution = await engine.load(engine.compile(schedule));
  for (let run = 0; run < (options.runs ?? 1); run++) {
    fillInputs(execution, options.seed + run, run > 0, options.positive);
    execution.run();
  }
  const outputs = new Map(schedule.graph.outputs.map(({ name }) => [name, execution.output(name).slice()]));
  execution.dispose();
  return outputs;
}

/** How often something is run, and on what. */
export interface RunOptions {
  readonly seed: number;
  readonly runs?: number;
  readonly positive?: boolean;
}

/** Whatever executes schedules: gives the outputs by name. */
export type Runner = (schedule: Schedule, options: RunOptions) => Promise<ReadonlyMap<string, ArrayLike<number>>>;

/** What differs between a runner and the reference by more than the bound, as text; empty if nothing does. */
export async function compareRunner(
  runner: Runner,
  graph: OperatorGraph,
  options: RunOptions & { readonly bound?: number },
): Promise<string> {
  const schedule = makeSchedule(graph);
  const expected = await outputsOf(referenceEngine(), schedule, options);
  const actual = await runner(schedule, options);
  const problems: string[] = [];
  for (const [name, values] of expected) {
    const error = difference(values, actual.get(name) as ArrayLike<number>);
    if (!(error <= (options.bound ?? 1e-5)))
      problems.push(`${graph.name}: ${name} is off by ${error.toExponential(2)}`);
  }
  return problems.join("; ");
}

/** `compareRunner` for an engine. */
export function compareWithReference(
  engine: Engine,
  graph: OperatorGraph,
  options: RunOptions & { readonly bound?: number },
): Promise<string> {
  return compareRunner((schedule, given) => outputsOf(engine, schedule, given), graph, options);
}
