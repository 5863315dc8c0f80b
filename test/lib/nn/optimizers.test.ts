import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { type Execution, referenceEngine } from "../../../lib/engine/index.ts";
import { GraphBuilder, type Value } from "../../../lib/ir/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("optimisers against their formulas");

const gradientAt = (weight: number, step: number): number => Math.sin(3 * weight + step) + 0.2;
const start = [0.7, -0.4];
const rate = 0.05;

/** The weights after some steps, for gradients that depend on weight and step; in float64. */
function weightsAfter(steps: number, optimizer: nn.Optimizer): number[] {
  const type = { shape: [2], dtype: "float64" } as const;
  const scalar = { shape: [], dtype: "float64" } as const;
  const builder = new GraphBuilder(operatorTable, optimizer.name);
  const parameter = builder.input("weight", type, "parameter");
  const given = builder.input("gradient", type, "data");
  const hyperparameters = { rate: builder.input("rate", scalar, "hyperparameter") };
  const inputs = (names: readonly string[], of: typeof type | typeof scalar): Record<string, Value> =>
    Object.fromEntries(names.map((name) => [name, builder.input(name, of, "state")]));
  const before = inputs(optimizer.shared, scalar);
  const states = inputs(optimizer.states, type);
  const { gradients, shared } = optimizer.begin?.({ builder, gradients: [given], shared: before, hyperparameters }) ?? {
    gradients: [given],
    shared: {},
  };
  const next = optimizer.update({ builder, parameter, gradient: gradients[0], states, shared, hyperparameters });
  builder.output("weight", next.parameter, parameter);
  for (const name of optimizer.states) builder.output(name, next.states[name], states[name]);
  for (const name of optimizer.shared) builder.output(name, shared[name], before[name]);
  const engine = referenceEngine();
  const execution = engine.load(engine.compile(makeSchedule(builder.build()))) as Execution;
  execution.input("weight").set(start as never);
  execution.input("rate")[0] = rate;
  for (let step = 0; step < steps; step++) {
    const gradient = Array.from(execution.input("weight"), (weight) => gradientAt(weight, step));
    execution.input("gradient").set(gradient as never);
    execution.run();
  }
  return Array.from(execution.input("weight"));
}

/** The same by a formula for one weight, which keeps what it likes. */
function byFormula(formula: () => (weight: number, gradient: number, step: number) => number): number[] {
  return start.map((first) => {
    const update = formula();
    let weight = first;
    for (let step = 0; step < 5; step++) weight = update(weight, gradientAt(weight, step), step + 1);
    return weight;
  });
}

function adamFormula(drawGradient: number, drawWeight: number): () => (w: number, g: number, t: number) => number {
  return () => {
    let [m, v] = [0, 0];
    return (w, given, t) => {
      const g = given + drawGradient * w;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const step = m / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
      return w - rate * (step + drawWeight * w);
    };
  };
}

const cases: readonly [nn.Optimizer, () => (weight: number, gradient: number, step: number) => number][] = [
  [nn.sgd({ rate, decay: 0.1 }), () => (w, g) => w - rate * (g + 0.1 * w)],
  [
    nn.sgd({ rate, momentum: 0.8, nesterov: true }),
    () => {
      let v = 0;
      return (w, g) => {
        v = 0.8 * v + g;
        return w - rate * (g + 0.8 * v);
      };
    },
  ],
  [nn.adam({ rate }), adamFormula(0, 0)],
  [nn.adam({ rate, decay: 0.2 }), adamFormula(0.2, 0)],
  [nn.adamW({ rate }), adamFormula(0, 0.01)],
  [
    nn.rmsProp({ rate }),
    () => {
      let s = 0;
      return (w, g) => {
        s = 0.9 * s + 0.1 * g * g;
        return w - (rate * g) / (Math.sqrt(s) + 1e-8);
      };
    },
  ],
];

for (const [index, [optimizer, formula]] of cases.entries()) {
  test(`${optimizer.name} (case ${index + 1}) makes the steps of its formula`, () => {
    const expected = byFormula(formula);
    for (const [place, weight] of weightsAfter(5, optimizer).entries()) {
      assert.ok(Math.abs(weight - expected[place]) < 1e-12, `${weight}, expected ${expected[place]}`);
    }
  });
}

test("long gradients are cut to the limit together, short ones stay as they are", () => {
  const gradient = start.map((weight) => gradientAt(weight, 0));
  const norm = Math.hypot(...gradient);
  const plain = nn.sgd({ rate });
  assert.equal(weightsAfter(1, nn.clipNorm(plain, 2 * norm)), weightsAfter(1, plain));
  const clipped = weightsAfter(1, nn.clipNorm(plain, norm / 4));
  for (const [place, weight] of clipped.entries()) {
    assert.ok(Math.abs(weight - (start[place] - (rate * gradient[place]) / 4)) < 1e-12);
  }
});

test("settings that make no sense are refused", () => {
  assert.throws(() => nn.adam({ beta1: 1 }), "adam: beta1 must be from 0 to below 1, got 1");
  assert.throws(() => nn.adamW({ decay: -1 }), "adamW: decay must be a number ≥ 0, got -1");
  assert.throws(() => nn.rmsProp({ epsilon: 0 }), "rmsProp: epsilon must be a number > 0, got 0");
  assert.throws(() => nn.sgd({ rate, nesterov: true }), "sgd: nesterov needs momentum");
  assert.throws(() => nn.clipNorm(nn.adam(), 0), "clipNorm: limit must be a number > 0, got 0");
});

test.run();
